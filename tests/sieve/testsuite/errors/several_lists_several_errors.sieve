if anyof (true, 23) { frop( ; }
if header ["a", 3] "x" { keep; }
