require ["include", "variables", "fileinto"];
set "global.n" "${global.n}x";
fileinto "${global.n}";
