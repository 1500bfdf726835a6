require "include"; include "an-included-script-may-c";
