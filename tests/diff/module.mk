# Doorstep beside Pigeonhole.  The short run is a suite of scripts/test; a long one:
#   make check-diff DIFF_COUNT=5000 DIFF_SEED=$(date +%s)
DIFF_TESTS += %D%/short.sh
EXTRA_DIST += %D%/short.sh %D%/diff.py %D%/generate.py %D%/known.txt
