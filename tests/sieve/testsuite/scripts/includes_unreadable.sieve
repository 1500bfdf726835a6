require "include";
include "unreadable";
