require "include"; include "one-that-only-shows-b";
