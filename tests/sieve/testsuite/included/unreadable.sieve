keep
frop;
keep ) ;
