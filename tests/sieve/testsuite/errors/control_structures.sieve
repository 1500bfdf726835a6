else { keep; }
if true { keep; }
keep;
elsif true { stop; }
if true;
stop { keep; }
