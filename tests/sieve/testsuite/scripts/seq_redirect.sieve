redirect "seq@example.net";
keep;
