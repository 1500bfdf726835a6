# The cases once more, with too few steps and too little memory (runner.c).
# One case, in this folder: BUILD/tests/sieve/runner --starved FILE.case
#
# SPDX-License-Identifier: MIT
cd "$TEST_SOURCE/tests/sieve" || exit 99
find ./* -name '*.case' | sort | sed 's,^\./,,' |
	xargs -x -n 10000 -s 2000000 "$TEST_BUILD/tests/sieve/runner" --starved
