require ["include", "variables"];
global ["given", "answer"];
set "answer" "common ${given}";
