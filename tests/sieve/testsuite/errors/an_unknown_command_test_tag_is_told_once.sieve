frop; frop "x";
if frip { keep; } elsif frip "x" { keep; }
if header :frap "a" "b" { keep; }
if header :frap "a" "c" { keep; }
