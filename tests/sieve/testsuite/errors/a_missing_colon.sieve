if address matches "from" "x" { keep; }
