require ["include", "fileinto"];
fileinto "it-ends-a-loop-b";
include :once "it-ends-a-loop-a";
