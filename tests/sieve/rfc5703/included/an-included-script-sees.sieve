require ["mime", "fileinto", "extracttext", "variables"];
if exists :mime "X-Part" { fileinto "found"; }
