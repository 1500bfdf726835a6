# Runs every svtest case below this folder (tests/svtest/README.md).
# One case: BUILD/tests/svtest/svtest FILE.svtest
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

cd "$TEST_SOURCE/tests/sieve" || exit 99
# The names of our files have no blanks.
for case in $(find . -name '*.svtest' | sort); do
	ok "${case#./}" "$TEST_BUILD/tests/svtest/svtest" -W "$TEST_WORK" \
		"$case"
done
cd "$TEST_WORK" || exit 99
done_testing
