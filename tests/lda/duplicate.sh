#!/bin/sh
# The test duplicate (RFC 7352) without a server.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

seen=$home/.doorstep-seen
discards() {
	fresh
	script <<'END'
require "duplicate";
if duplicate { discard; }
END
}

discards
lda
is "$status:$(everything)" 0:1 "the first copy is filed"
is "$(stat -c %a "$seen")" 600 "what was seen is for the user alone to read"
is "$(find "$home" -name '.doorstep-seen?*')" "" "nothing lies about beside it"
lda
is "$status:$(everything)" 0:1 "the second one is a duplicate"
like "$(cat "$log")" "*discarded*" "and is discarded"
sed 's/hello@/other@/' message >other
input=other lda
is "$status:$(everything)" 0:2 "another message is none"

lda -o sieve_duplicate_max_period=1s -o sieve_extensions=-duplicate
like "$(cat "$log")" '*Failed to compile script*' \
	"sieve_extensions can take it away"

discards
lda -o sieve_duplicate_max_period=1s
sleep 2
lda -o sieve_duplicate_max_period=1s
is "$status:$(everything)" 0:2 "after sieve_duplicate_max_period it is forgotten"

discards
mkdir "$seen.new"
lda
is "$status:$(everything)" 0:1 "where nothing can be written mail is filed"
like "$(cat "$log")" "*duplicates are not remembered: cannot make *" \
	"and the log says why"
lda
is "$status:$(everything)" 0:2 "and a copy is no duplicate"

discards
lda
printf nonsense >"$seen"
lda
is "$status:$(everything)" 0:2 "a broken file has seen nothing"
like "$(cat "$log")" "*is broken: what was seen before is forgotten*" \
	"and the log says so"
lda
is "$status:$(everything)" 0:2 "and it was made anew"

fresh
lda
is "$status:$(find "$home" -name .doorstep-seen)" "0:" \
	"without the test there is no file"
done_testing
