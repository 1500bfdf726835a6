# Dovecot reads and changes mbox files, and mail goes on arriving.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

user=boxes@$domain
box=$(home_of $user)/inbox
script $user <<'END'
require ["fileinto", "mailbox", "imap4flags"];
if header :contains "subject" "Number 3" {
	fileinto :create :flags ["\\Seen", "\\Flagged"] "Lists/C";
}
END
message "Number 1" "From here on it is text.
>From there, too." | smtp ada@client.example $user
message "Number 2" | sed '1i Status: RO' | smtp "" $user
message "Number 3" | smtp ada@client.example $user
is "$(fetch $user "mailbox hdr.subject" | sort)" "INBOX Number 1
INBOX Number 2
Lists/C Number 3" "Dovecot reads the INBOX and a folder"
is "$(fetch $user flags "mailbox Lists/C all")" '\Flagged \Seen' \
	"flags of the script are Dovecot's"
unlike "$(fetch $user flags "mailbox INBOX uid 2")" '*Seen*' \
	"a Status that came with the mail is none of Dovecot's"
like "$(imap $user 'SELECT INBOX' 'FETCH 1 BODY[TEXT]')" \
	"*>From here on it is text.*>>From there, too.*" \
	"a line like the one between two mails is quoted"
is "$(dovecot_admin mailbox list -u $user -s)" "Lists/C" \
	"the new folder is subscribed"
imap $user 'SELECT INBOX' 'STORE 1 +FLAGS (\Deleted)' EXPUNGE \
	'STORE 1 +FLAGS (\Answered)' >"$TEST_WORK/log/imap" ||
	fail "IMAP marks and removes" "$(cat "$TEST_WORK/log/imap")"
message "Number 4" | smtp ada@client.example $user
is "$(fetch $user "uid hdr.subject" "mailbox INBOX all")" "2 Number 2
3 Number 4" "mail that arrives after a client's work is added to it"

# Both write it all the time.
(
	n=0
	while [ $n -lt 20 ]; do
		n=$((n + 1))
		imap $user 'SELECT INBOX' 'STORE 1 +FLAGS (\Seen)' \
			'STORE 1 -FLAGS (\Seen)' CHECK >/dev/null
	done
) &
for n in $(seq 10 29); do
	message "Number $n" | smtp ada@client.example $user
done
wait $!
is "$(fetch $user hdr.subject "mailbox INBOX all" | sort -u | wc -l)" 22 \
	"no mail is lost while a client changes flags"
is "$(grep -c '^From ' "$box")" 22 "each is in the file once"
dovecot_is_content "Dovecot has nothing to complain of in an mbox"
