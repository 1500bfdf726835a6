require "include"; include "late-loop-b";
