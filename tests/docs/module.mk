TAP_TESTS += %D%/pages.sh
EXTRA_DIST += %D%/pages.sh
