if header :frap 3 "x" "y" { keep; }
redirect;
