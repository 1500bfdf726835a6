#!/bin/sh
# Letters of our own, read by Python's email package.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

if "$TEST_BUILD/tests/mail/letters" .; then
	pass "all letters are written"
else
	fail "all letters are written"
fi
for name in plain foreign attack ready report; do
	if why=$(python3 "$TEST_SOURCE/tests/mail/letters.py" $name $name.eml 2>&1)
	then
		pass "another reader understands the letter '$name'"
	else
		fail "another reader understands the letter '$name'" "$why" \
			"$(cat $name.eml)"
	fi
done
done_testing
