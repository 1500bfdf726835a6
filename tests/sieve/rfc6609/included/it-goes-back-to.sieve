require ["include", "fileinto"];
if true { fileinto "A"; return; }
fileinto "no";
