TAP_TESTS += %D%/config.sh
EXTRA_DIST += %D%/config.sh
