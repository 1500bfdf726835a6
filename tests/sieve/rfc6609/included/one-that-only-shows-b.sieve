require "include"; include :once "one-that-only-shows-a";
