require "include"; include "an-included-script-may-b";
