require "include";
include "nobody";
