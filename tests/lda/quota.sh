#!/bin/sh
# Quota at delivery: what is refused, with which status and words, and what is kept.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# mail BYTES: a message of about that size.
mail() {
	printf 'Subject: x\nMessage-ID: <1@x>\n\n'
	head -c "$1" /dev/zero | tr '\0' x
	echo
}
cat >>"$conf" <<END
lda_mailbox_autocreate = yes
quota = maildir:User quota
quota_rule = *:storage=10K
quota_rule2 = Trash:storage=+100%%
quota_rule3 = Spam:ignore
quota_rule4 = Small:storage=1K
quota_grace = 1K
END
mail 3000 >big
mail 9000 >most
mail 10 >tiny
mail 11300 >toobig

# deliver FILE [OPTION...]
deliver() {
	input=$1
	shift
	lda -e "$@"
}
full() {
	fresh
	deliver most
	deliver most
}

fresh
deliver big
is "$status:$(cat "$home/Maildir/maildirsize")" \
	"0:10240S
0 0
$(stat -c %s "$home"/Maildir/new/*) 1" "the first mail makes maildirsize"
full
is "$status:$(count)" 77:1 "a full mailbox refuses: 77"
like "$err" "5.2.2 Quota exceeded (mailbox for user is full)*" \
	"and says why"
like "$(cat "$log")" "*save failed to INBOX: Quota exceeded*" "the log, too"
is "$(ls "$home/Maildir/tmp" | wc -l)" 0 "nothing is left behind"

deliver big -o quota_full_tempfail=yes
is "$status" 75 "quota_full_tempfail: 75"
like "$err" "4.2.2 *" "with a temporary status"

echo "no room today" >text
deliver big -o quota_exceeded_message="<$PWD/text"
like "$err" "5.2.2 no room today*" "quota_exceeded_message from a file"

deliver big -m Trash
is "$status:$(count .Trash)" 0:1 "a folder's own rule gives it more room"
deliver big -m Spam
is "$status:$(count .Spam)" 0:1 "an ignored folder takes mail"
deliver most -m Trash
deliver big -m Trash
is "$status:$(count .Trash)" 77:2 "until its own limit is reached"

fresh
deliver big -m Small
is "$status:$(count)" 0:1 "a folder that is too small means INBOX"

fresh
deliver toobig
is "$status:$(count)" 77:0 "what no mailbox would take is refused for good"
like "$err" "5.2.3 *" "as too big"
deliver toobig -o quota_full_tempfail=yes
is "$status" 77 "also with quota_full_tempfail"
deliver big -o quota_max_mail_size=2K
is "$status" 77 "quota_max_mail_size is for good"
like "$err" "5.2.3 Mail size is larger than*" "and says so"

full
echo 'discard;' >"$home/.dovecot.sieve"
deliver big
is "$status" 0 "what is discarded needs no room"
echo 'redirect "x@y.example";' >"$home/.dovecot.sieve"
deliver big
is "$status:$(grep -c '^Arguments:.* x@y.example' "$home/outgoing")" 0:1 \
	"nor does what is redirected"
echo 'require "fileinto"; fileinto "Spam";' >"$home/.dovecot.sieve"
deliver big
is "$status:$(count .Spam)" 0:1 "nor does what is filed where nothing counts"
echo 'require "fileinto"; fileinto "Trash"; fileinto "INBOX";' \
	>"$home/.dovecot.sieve"
deliver big
is "$status:$(count .Trash)" 77:0 "two copies are taken together or not at all"

# Without -e a refusal is mail to the sender.
full
echo 'require ["vacation", "copy"]; vacation "away"; redirect :copy "x@y.example";' \
	>"$home/.dovecot.sieve"
rm -f "$home/outgoing"
input=big
lda -f ada@client.example
is "$status:$err:$(count)" 0::1 "without -e a full mailbox is a success"
is "$(grep -c '^Arguments:' "$home/outgoing")" 1 \
	"one mail goes out: no answer, no redirect"
like "$(cat "$home/outgoing")" "Arguments: * ada@client.example*\
Quota exceeded (mailbox for user is full)*Action: failed*Status: 5.2.2*" \
	"it tells the sender"
like "$(cat "$log")" "*save failed to INBOX: Quota exceeded*rejected: sent a \
delivery status notification to <ada@client.example>*" "and the log the admin"
rm -f "$home/outgoing"
lda -f ""
is "$status:$(cat "$home/outgoing" 2>/dev/null)" 0: \
	"a bounce is not answered with a bounce"
lda -f ada@client.example -o quota_full_tempfail=yes
is "$status:$(cat "$home/outgoing" 2>/dev/null)" 75: \
	"with quota_full_tempfail nobody is told yet"

fresh
echo 'require ["fileinto", "mailbox"]; fileinto :create "A"; ' \
	>"$home/.dovecot.sieve"
deliver big -o quota_mailbox_count=1
echo 'require ["fileinto", "mailbox"]; fileinto :create "B"; ' \
	>"$home/.dovecot.sieve"
deliver big -o quota_mailbox_count=1
is "$status:$(count .A)$(count .B)$(count)" 0:101 \
	"quota_mailbox_count: no second folder, and the mail is in INBOX"
like "$(cat "$log")" "*Maximum number of mailboxes reached*" "the log says so"

fresh
deliver big -o quota_mailbox_message_count=1 -o quota=
deliver big -o quota_mailbox_message_count=1 -o quota=
is "$status:$(count)" 77:1 "quota_mailbox_message_count: no second message"
like "$err" "5.2.2 Too many messages in the mailbox*" "and says why"
echo 'require "fileinto"; fileinto "Lists";' >"$home/.dovecot.sieve"
for _ in 1 2; do
	deliver big -o quota_mailbox_message_count=2 -o quota=
done
is "$status:$(count .Lists)" 0:2 "each folder has its own count"
deliver big -o quota_mailbox_message_count=2 -o quota=
is "$status:$(count .Lists):$(count)" 0:2:2 "then there is the INBOX"
fresh
cat >conf-2.4 <<END
!include $conf
quota =
quota_rule =
quota_rule2 =
quota_rule3 =
quota_rule4 =
quota_grace =
quota_storage_size = 100K
quota "User quota" {
  driver = maildir
  storage_size = 10K
  storage_grace = 1K
}
mailbox Trash {
  quota_storage_percentage = 150
  quota_storage_extra = 5K
}
mailbox Spam {
  quota_ignore = yes
}
mailbox Lists {
  quota_mailbox_message_count = 1
}
END
deliver most -c conf-2.4
deliver big -c conf-2.4
is "$status:$(head -n 1 "$home/Maildir/maildirsize")" 77:10240S \
	"a block of 2.4 limits"
deliver big -c conf-2.4 -m Spam
is "$status:$(count .Spam)" 0:1 "but for a mailbox with quota_ignore"
deliver most -c conf-2.4 -m Trash
deliver big -c conf-2.4 -m Trash
is "$status:$(count .Trash)" 0:2 "one with quota_storage_extra has more"
deliver big -c conf-2.4 -m Trash
is "$status:$(count .Trash)" 77:2 "up to its own limit"
rm "$home"/Maildir/maildirsize "$home"/Maildir/new/* \
	"$home"/Maildir/.Trash/new/*
deliver tiny -c conf-2.4 -m Lists
deliver tiny -c conf-2.4 -m Lists
is "$status:$(count .Lists)$(count)" 0:11 \
	"one with quota_mailbox_message_count is full by itself"
deliver most -c conf-2.4 -o quota_storage_percentage=200
is "$status:$(head -n 1 "$home/Maildir/maildirsize")" 0:20480S \
	"what is said outside with more weight counts for the root"

fresh
deliver most -o 'quota=count:User quota'
deliver big -o 'quota=count:User quota'
is "$status:$(count)" 77:1 "count needs no file"
is "$(ls "$home/Maildir")" "cur
doorstep-quota
new
tmp" "and writes no maildirsize"
deliver big -o 'quota=count:User quota:noenforcing'
is "$status" 0 "noenforcing only counts"

fresh
deliver big -o quota_rule=
is "$status" 0 "a rule without a text is no limit"
deliver big -o quota_rule='*:storage=lots'
is "$status" 75 "a wrong rule is an error of the configuration"
like "$err$(cat "$log")" '*quota_rule: found "storage=lots"*' "that is named"
done_testing
