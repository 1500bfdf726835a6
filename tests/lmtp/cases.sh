# Runs every case of this folder (the form: runner.c).
# One case, in this folder: BUILD/tests/lmtp/runner FILE.case
#
# SPDX-License-Identifier: MIT
cd "$TEST_SOURCE/tests/lmtp" || exit 99
find ./* -name '*.case' | sort | sed 's,^\./,,' |
	xargs -x -n 10000 -s 2000000 "$TEST_BUILD/tests/lmtp/runner" --table
