require ["include", "variables", "fileinto"];
set "a" "inner";
fileinto "${a}";
