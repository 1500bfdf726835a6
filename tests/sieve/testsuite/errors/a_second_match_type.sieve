if address :is :contains "from" "x" { keep; }
if address :is :is "from" "x" { keep; }
