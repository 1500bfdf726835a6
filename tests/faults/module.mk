# Torture.
FAULTS_TESTS += %D%/run.sh
EXTRA_DIST += %D%/run.sh %D%/cases %D%/fault.sh
