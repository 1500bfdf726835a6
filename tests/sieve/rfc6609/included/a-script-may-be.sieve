require "fileinto"; fileinto :unknown "a-script-may-be";
