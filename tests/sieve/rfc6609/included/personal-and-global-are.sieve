require "fileinto"; fileinto "mine";
