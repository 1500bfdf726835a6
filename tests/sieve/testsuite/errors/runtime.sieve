require "variables";
set "to" "x";
keep;
redirect "${to}";
redirect "${to}";
