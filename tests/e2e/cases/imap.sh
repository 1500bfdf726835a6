# Dovecot's IMAP server reads what was filed, and mail goes on arriving while
# clients move, mark and remove it.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# One mail in each of these folders, made by the script.
folder_names='Entwürfe
R&D
two  words
Deep/er/Nest
日本語/テスト
a~b
Tom &Jerry-&-'
i=0
for layout in maildir++ fs utf-8; do
	i=$((i + 1))
	user=reader$i@$domain
	script $user <<'END'
require ["fileinto", "mailbox", "variables"];
if header :matches "x-folder" "*" { fileinto :create "${1}"; }
END
	echo "$folder_names" | while read -r folder; do
		message "In $folder" | sed "1i X-Folder: $folder" >sent
		smtp ada@client.example $user <sent
	done
	echo "$folder_names" >names
	while read -r folder; do
		is "$(dovecot_admin fetch -u $user mailbox mailbox "$folder" ALL |
			tr -d '\f\n')" "mailbox: $folder" \
			"$layout: Dovecot reads the folder \"$folder\""
	done <names
	is "$(dovecot_admin mailbox list -u $user -s | sort)" \
		"$(sort names)" "$layout: all new folders are subscribed"
	lsub=$(imap $user 'LSUB "" "*"')
	is "$(echo "$lsub" | grep -c '^\* LSUB')" "$(wc -l <names)" \
		"$layout: IMAP's LSUB lists them"
	like "$lsub" '*LSUB () "/" R&-D*' "$layout: in modified UTF-7"
	is "$(imap $user 'LIST "" "*"' | grep -v Noselect | grep -c '^\* LIST')" \
		"$(($(wc -l <names) + 1))" "$layout: LIST knows them and INBOX"
done
is "$(ls -d "$(home_of reader3@$domain)/Maildir/.Entwürfe")" \
	"$(home_of reader3@$domain)/Maildir/.Entwürfe" \
	"utf-8: names are UTF-8 on disk, too"

user=reader4@$domain
script $user <<'END'
require ["fileinto", "mailbox"];
fileinto :create "INBOX.Lists.Dev";
END
# The reader has these in the user's record.
cp "$TEST_WORK/virtual.conf" unchanged.conf
sed 's|separator = /|separator = .\n  prefix = INBOX.|' unchanged.conf \
	>"$TEST_WORK/virtual.conf"
message "Prefix" | smtp ada@client.example $user
cp unchanged.conf "$TEST_WORK/virtual.conf"
is "$(fetch $user "mailbox hdr.subject")" "INBOX.Lists.Dev Prefix" \
	"a namespace's prefix and separator are Dovecot's"
is "$(count $user .Lists.Dev)" 1 "and stay out of the folder's name on disk"
is "$(dovecot_admin mailbox list -u $user -s)" "INBOX.Lists.Dev" \
	"the folder is subscribed under the same name"

user=mover@$domain
for n in 1 2 3; do
	message "Number $n" | smtp ada@client.example $user
done
like "$(imap $user 'STATUS INBOX (MESSAGES UNSEEN)')" \
	"*STATUS INBOX (MESSAGES 3 UNSEEN 3)*" "IMAP counts the new mail"
like "$(imap $user 'SELECT INBOX' 'FETCH 1 BODY[]')" "*Subject: Number 1*" \
	"IMAP reads a message"
file=$(files $user | xargs grep -l 'Subject: Number 2')
size=${file##*,W=}
like "$(imap $user 'SELECT INBOX' 'FETCH 2 RFC822.SIZE')" \
	"*(RFC822.SIZE ${size%:2,*})*" "IMAP's size is W= of the name" 
imap $user 'SELECT INBOX' 'STORE 1 +FLAGS (\Deleted)' EXPUNGE 'CREATE Kept' \
	'MOVE 1 Kept' 'STORE 1 +FLAGS (\Seen $Forwarded)' >"$TEST_WORK/log/imap" ||
	fail "IMAP marks, moves and removes" "$(cat "$TEST_WORK/log/imap")"
script $user <<'END'
require ["fileinto", "imap4flags"];
if header :contains "subject" "Number 4" { fileinto :flags "\\Seen" "Kept"; }
END
for n in 4 5; do
	message "Number $n" | smtp ada@client.example $user
done
is "$(fetch $user "mailbox uid hdr.subject" | sort)" "INBOX 3 Number 3
INBOX 4 Number 5
Kept 1 Number 2
Kept 2 Number 4" "mail that arrives after a client's work has the next uid"
like "$(imap $user 'SELECT Kept' 'FETCH 2 FLAGS')" '*FLAGS (\\Seen*' \
	"flags set by the script are seen by IMAP"
dovecot_admin force-resync -u $user INBOX
is "$(fetch $user uid | wc -l)" 4 "a forced check of the mailbox changes nothing"
rm -f sent names
dovecot_is_content "Dovecot has nothing to complain of"
