# Runs every case below this folder (the form: runner.c).
# One case: tests/sieve/runner FILE.case
#
# SPDX-License-Identifier: MIT
find "$TEST_SOURCE/tests/sieve" -name '*.case' | sort |
	xargs -x -n 10000 -s 2000000 "$TEST_BUILD/tests/sieve/runner"
