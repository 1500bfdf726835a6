require ["variables", "fileinto"];
if not string "${a}" "" { discard; }
set "a" "y";
