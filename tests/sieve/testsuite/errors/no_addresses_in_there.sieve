if address "frop" "x" { keep; }
