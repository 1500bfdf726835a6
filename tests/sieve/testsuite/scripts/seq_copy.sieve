require ["fileinto", "copy"];
fileinto :copy "Seq";
