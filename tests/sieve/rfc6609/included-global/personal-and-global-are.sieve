require "fileinto"; fileinto "ours";
