frop;
keep 1 "x" );
frop;
