if header "x" {
	frop;
	if address 3 "x" { redirect; }
}
