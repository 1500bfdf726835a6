keep;
discard;
redirect "a@example.net";
