TAP_TESTS += %D%/config.sh %D%/user.sh
EXTRA_DIST += %D%/config.sh %D%/user.sh
