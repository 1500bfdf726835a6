#!/bin/sh
# The settings of spamtest and virustest (RFC 5235) reach the script.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

fresh
script <<'END'
require ["spamtest", "virustest"];
if allof(spamtest "10", virustest "4") { discard; }
END
{
	echo "X-Spam-Status: Yes, score=12.1 required=5.0"
	echo "X-Virus: maybe"
	cat message
} >spam

input=spam lda
is "$status:$(everything)" 0:1 "without settings nothing was tested"
input=spam lda -o 'sieve_spamtest_status_header=X-Spam-Status: score=(-?[0-9.]+)' \
	-o 'sieve_spamtest_max_header=X-Spam-Status: required=([0-9.]+)' \
	-o sieve_virustest_status_header=X-Virus \
	-o sieve_virustest_status_type=text \
	-o sieve_virustest_text_value4=maybe
is "$status:$(everything)" 0:1 "with them the message is discarded"
input=spam lda -o 'sieve_spamtest_status_header=X-Spam-Status: score=(-?[0-9.]+)' \
	-o sieve_spamtest_score_max_value=100 \
	-o sieve_virustest_status_header=X-Virus \
	-o sieve_virustest_status_type=text \
	-o sieve_virustest_text_value4=maybe
is "$status:$(everything)" 0:2 "a score below the largest is not the worst"
done_testing
