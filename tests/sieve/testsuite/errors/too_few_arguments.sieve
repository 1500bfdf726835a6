if header "x" { keep; }
if address { keep; }
