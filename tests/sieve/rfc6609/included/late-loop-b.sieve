require "include"; include :once "late-loop-a";
