require ["include", "fileinto"];
fileinto "it-ends-a-loop-a";
include :once "it-ends-a-loop-b";
