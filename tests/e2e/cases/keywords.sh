# Keywords that a script sets are those that Dovecot shows, whoever gave the
# letters.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2016,SC2034,SC2046,SC2154

user=marker@$domain
maildir=$(home_of $user)/Maildir
script $user <<'END'
require ["fileinto", "imap4flags", "mailbox", "variables"];
if header :matches "x-flags" "*" { addflag "${1}"; }
if header "x-folder" "Lists" { fileinto :create "Lists"; }
if header "x-folder" "Both" { keep; fileinto :flags "$Extra" "INBOX"; }
END
# marked SUBJECT FLAGS [FOLDER]
marked() {
	message "$1" | sed "1i X-Flags: $2\nX-Folder: ${3-}" |
		smtp ada@client.example $user
}
# shown SUBJECT: without \Recent, in octet order.
shown() {
	fetch $user flags "header subject $1" | tr ' ' '\n' |
		grep -v Recent | sort | tr '\n' ' '
}

# Nobody has looked at the mailbox so far.
marked first '$Label1 NonJunk'
is "$(cat "$maildir/dovecot-keywords")" '0 $Label1
1 NonJunk' "the first delivery makes dovecot-keywords"
is "$(shown first)" '$Label1 NonJunk ' "Dovecot shows these keywords"

# A client gives a keyword of its own: Dovecot writes the file.
imap $user 'SELECT INBOX' 'STORE 1 +FLAGS (Client)' >"$TEST_WORK/log/imap" ||
	fail "a client adds a keyword" "$(cat "$TEST_WORK/log/imap")"
like "$(cat "$maildir/dovecot-keywords")" '*2 Client*' \
	"Dovecot adds to the file"
marked second 'client \\Seen $Later'
is "$(shown second)" '$Later Client \Seen ' \
	"a keyword that Dovecot knows keeps its letter, in any case"
is "$(shown first)" '$Label1 Client NonJunk ' "older mail keeps its keywords"
like "$(imap $user 'SELECT INBOX' 'NOOP' 'FETCH 1:* FLAGS')" '*$Later*' \
	"FETCH FLAGS shows them"

marked third 'InList' Lists
is "$(shown third)" 'InList ' "each folder has its own letters"
is "$(cat "$maildir/.Lists/dovecot-keywords")" '0 InList' \
	"from the first one on"
marked fourth 'Here' Both
is "$(shown fourth)" '$Extra ' \
	"of two actions for one folder the last has its keywords"

# Somebody holds Dovecot's lock.
echo "1:$(hostname)" >"$maildir/dovecot-uidlist.lock"
before=$(cat "$maildir/dovecot-keywords")
cp "$TEST_WORK/virtual.conf" unchanged.conf
echo "maildir_keywords_lock_timeout = 1 secs" >>"$TEST_WORK/virtual.conf"
marked fifth 'NotNow \\Flagged'
cp unchanged.conf "$TEST_WORK/virtual.conf"
rm -f "$maildir/dovecot-uidlist.lock"
is "$(shown fifth)" '\Flagged ' \
	"mail that finds the folder locked is filed without keywords"
is "$(cat "$maildir/dovecot-keywords")" "$before" "and the file stays"
like "$(grep 'keywords' "$TEST_WORK/log/lda.log")" '*NotNow*' "the log says so"

# A script that fails is seen by its owner.
cp "$(home_of $user)/.dovecot.sieve" kept.sieve
echo 'keeep;' | script $user
marked sixth ''
is "$(shown sixth)" '$SieveFailed ' "a failed script marks the mail"
script $user <kept.sieve

# Mail comes while clients give keywords.
(
	n=0
	while [ $n -lt 4 ]; do
		n=$((n + 1))
		imap $user 'SELECT INBOX' "STORE 1 +FLAGS (c$n)" >/dev/null
	done
) &
for n in 1 2 3 4 5 6 7 8; do
	marked "crowd$n" "s$n"
done
wait $!
for n in 1 2 3 4 5 6 7 8; do
	is "$(shown crowd$n)" "s$n " "keyword $n of several writers is the mail's"
done
is "$(shown first | tr ' ' '\n' | grep -c '^c[1-4]$')" 4 \
	"and the client's are all there"
is "$(cut -d' ' -f1 "$maildir/dovecot-keywords" | sort | uniq -d)" "" \
	"no letter stands for two"

user=markbox@$domain
script $user <<'END'
require ["imap4flags", "variables"];
if header :matches "x-flags" "*" { addflag "${1}"; }
END
box=$(home_of $user)/inbox
marked first '$First Another \\Seen'
is "$(shown first)" '$First Another \Seen ' \
	"the first mail of an mbox brings its keywords"
imap $user 'SELECT INBOX' 'STORE 1 +FLAGS (Client)' >"$TEST_WORK/log/imap" ||
	fail "a client adds a keyword" "$(cat "$TEST_WORK/log/imap")"
marked second 'client another Unknown'
is "$(shown second)" 'Another Client ' \
	"later mail has those that the server has named"
like "$(grep 'keywords' "$TEST_WORK/log/lda.log")" '*Unknown*' \
	"the log names the others"
is "$(shown first)" '$First Another Client \Seen ' "the first mail keeps its own"
dovecot_is_content "Dovecot has nothing to complain of in the keywords"
