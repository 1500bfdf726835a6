#!/bin/sh
# Folders that the configuration wants to be there: `mailbox { auto }`.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

cat >>"$conf" <<END
namespace inbox {
  inbox = yes
  prefix = INBOX.
  separator = .
  mailbox Junk {
    auto = subscribe
  }
  mailbox Trash {
    auto = create
  }
  mailbox Drafts {
    auto = no
  }
}
END
# made FOLDER SUBSCRIBED NAME MAILBOX: where mail for MAILBOX goes.
made() {
	expected=$1 subscribed=$2 name=$3
	fresh
	lda -m "$4"
	is "$status:$(count "$expected")" 0:1 "$name"
	is "$(sed '1,2d' "$home/Maildir/subscriptions" 2>/dev/null)" \
		"$subscribed" "$name: subscriptions"
}
made .Junk Junk "auto = subscribe makes the folder" INBOX.Junk
made .Trash "" "auto = create makes it" INBOX.Trash
made "" "" "auto = no does not" INBOX.Drafts
made "" "" "nor is a folder made that is not named" INBOX.Other
made "" "" "nor one whose name only begins so" INBOX.Junk.Sub

fresh
echo 'require "fileinto"; fileinto "INBOX.Gone";' >"$home/.dovecot.sieve"
lda
is "$status:$(count)" 0:1 "fileinto into a folder that is not there means INBOX"
like "$(cat "$log")" "*Mailbox doesn't exist: INBOX.Gone*" "and the log names it"
done_testing
