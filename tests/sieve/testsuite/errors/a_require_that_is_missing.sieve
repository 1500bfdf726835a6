fileinto "x";
fileinto "y";
set "a" "b";
