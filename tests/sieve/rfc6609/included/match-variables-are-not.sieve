require ["variables", "fileinto"];
fileinto "x${1}";
if header :matches "from" "coyote@*" { fileinto "${1}"; }
