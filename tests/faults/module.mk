# Torture.
FAULTS_TESTS += %D%/run.sh %D%/server.sh
EXTRA_DIST += %D%/run.sh %D%/cases %D%/fault.sh %D%/server.sh %D%/server
