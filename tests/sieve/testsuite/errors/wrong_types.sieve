if header 34 "x" { keep; }
if header "x" 45 { keep; }
if address "from" 3 { keep; }
