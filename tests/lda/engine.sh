#!/bin/sh
# sieve_engine = libsieve: the same deliveries by the other engine, and what it
# does wrong harms nobody.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

cat >>"$conf" <<END
sieve_engine = libsieve
sieve = ~/script
lda_mailbox_autocreate = yes
END

# script TEXT: the user's.
script() {
	fresh
	printf '%s\n' "$1" >"$home/script"
}

# mails FOLDER: how many are there.
mails() {
	find "$home/Maildir/$1/new" "$home/Maildir/$1/cur" -type f 2>/dev/null |
		wc -l
}

script 'require "fileinto"; fileinto "a\\b";'
lda -f ada@client.example
case $("$TEST_BUILD/ctl/doorstep" -c "$conf" config check 2>&1) in
*"sieve_engine: this build is without libsieve"*)
	ok "without libsieve config check says so, and mail waits" \
		test "$status" -ne 0 -a ! -e "$home/Maildir/new"
	done_testing
	exit 0
	;;
esac
is "$status:$(mails '.a\\b')" 0:1 "a string keeps its backslashes, as in DBMail"

script 'discard;'
lda -f ada@client.example
is "$status:$(mails .)" 0:0 "a discard discards"

script 'redirect "bob@partner.example";'
rm -f "$home/outgoing"
lda -f ada@client.example
is "$status:$(mails .)" 0:0 "a redirected message is not kept"
like "$(cat "$home/outgoing")" "*-- bob@partner.example*" "it is handed over"

script 'require ["fileinto", "envelope", "subaddress"];
if envelope :detail "to" "lists" { fileinto "Lists"; }'
lda -f ada@client.example -a amy+lists@example.test
is "$status:$(mails .Lists)" 0:1 "the envelope is known"

script 'require "imap4flags"; addflag "\Seen"; keep;'
lda -f ada@client.example
like "$(ls "$home/Maildir/cur")" "*:2,S" "flags are set"

# This one makes the library give memory back twice.
script 'require "imap4flags"; setflag "a"; setflag "b";'
lda -f ada@client.example
is "$status:$(mails .)" 0:1 "a script that crashes the library means keep"

for wrong in 'discard' 'require "variables"; discard;' \
	'redirect "nobody";'; do
	script "$wrong"
	lda -f ada@client.example
	is "$status:$(mails .)" 0:1 "kept: $wrong"
	like "$(cat "$log")" "*sieve: Failed to execute script*" \
		"and the log tells of it"
done
done_testing
