require ["include", "fileinto"];
include "it-goes-back-one-b"; fileinto "B";
