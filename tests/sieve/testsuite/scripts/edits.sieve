require ["editheader", "fileinto"];
if exists "x-case" { addheader "X-Seen" "yes"; }
addheader "X-Subject" "2";
keep;
