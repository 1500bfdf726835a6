#!/bin/sh
# A worker whose sieve_engine is libsieve: it survives what the library does.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
sieve_engine = libsieve
sieve = ~/script
lda_mailbox_autocreate = yes
END

# script TEXT: the user's.
script() {
	printf '%s\n' "$1" >"$home/script"
}
mails() {
	find "$home/Maildir/$1/new" "$home/Maildir/$1/cur" -type f 2>/dev/null | wc -l
}

case $("$TEST_BUILD/ctl/doorstep" -c "$conf" config check 2>&1) in
*"this build is without libsieve"*) skip_all "built without libsieve" ;;
esac
ok "the server starts" start
script 'require "fileinto"; fileinto "Lists";'
like "$(send)" "250 2.0.0 <amy> * Saved" "a message is delivered"
is "$(mails .Lists)" 1 "into the folder the script names"
worker=$(process worker)
script 'require "imap4flags"; setflag "a"; setflag "b";'
like "$(send)" "250 2.0.0 <amy> * Saved" "a script that crashes the library keeps"
is "$(mails .)" 1 "in the inbox"
script 'discard'
like "$(send)" "250 2.0.0 <amy> * Saved" "a script in error keeps"
is "$(mails .)" 2 "in the inbox, too"
is "$(process worker)" "$worker" "one worker has done it all"
is "$(pgrep -P "$worker" | wc -l)" 0 "and has no child left, not even a dead one"
exits 0 "the server ends" stop
done_testing
