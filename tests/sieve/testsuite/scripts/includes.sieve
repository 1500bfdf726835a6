require "include";
include "files";
include "drops";
