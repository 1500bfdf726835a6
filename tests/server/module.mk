# The whole server.
SERVER_TESTS += %D%/run.sh
EXTRA_DIST += %D%/run.sh %D%/cases %D%/connect.py %D%/crowd.py \
	%D%/deliver.py %D%/load.py %D%/retry.py %D%/slow.py %D%/stored.py \
	%D%/together.py
