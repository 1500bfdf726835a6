#!/bin/sh
# What we write about broken messages is whole.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

cat >>"$conf" <<'END'
sieve_vacation_dont_check_recipient = yes
sieve_user_email = amy@example.test
END
# shellcheck disable=SC2086 # several words
if as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C SHOW="${SHOW:-}" $environment \
	python3 "$TEST_SOURCE/tests/lda/broken.py" "$home" "$program" -c "$conf" \
	-a amy@example.test -r amy@example.test >found 2>&1; then
	pass "every letter about every broken message is good: $(tail -n 1 found)"
else
	fail "every letter about every broken message is good" "$(cat found)"
fi
done_testing
