require ["include", "foreverypart"];
foreverypart { foreverypart { return; } return; }
