require ["include", "variables", "fileinto"];
global ["b", "a"];
fileinto "x${a}";
set "a" "inner";
