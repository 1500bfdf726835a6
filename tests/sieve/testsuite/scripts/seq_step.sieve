require "fileinto";
fileinto "Step";
