require "fileinto";
fileinto "Seq";
