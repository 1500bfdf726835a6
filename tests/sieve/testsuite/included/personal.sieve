require ["include", "variables"];
global ["given", "answer"];
set "answer" "personal ${given}";
