require "fileinto";
if header "a" "b" (true, false) { keep; }
header "a" "b";
fileinto "x" true;
fileinto "x" (true, false);
