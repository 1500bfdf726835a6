require ["variables", "fileinto"];
fileinto "x${a}";
set "a" "inner";
