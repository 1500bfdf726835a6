# System users: mailbox_command with dovecot-lda's options for amy, as the sample
# has it for bob.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_user amy 61001
machine_user bob 61002

message "First mail" | smtp ada@client.example amy@example.test
is "$(fetch amy "mailbox uid flags hdr.subject")" "INBOX 1 \\Recent First mail" \
	"mail for a system user is in its INBOX"
file=$(files amy)
like "$file" "*/Maildir/new/*.M*P*.mx.example.test,S=*,W=*" \
	"its name is of Dovecot's form"
is "$(stat -c '%U %G %a' "$file")" "amy amy 600" "it belongs to the user alone"
is "$(head -n 1 "$file")" "Return-Path: <ada@client.example>" \
	"the sender is its Return-Path"
like "$(log_of amy)" \
	"*lda(amy)<*>: Info: *msgid=<Firstmail@client.example>: *INBOX*" \
	"the log says where it went"

message "To the capital" | smtp ada@client.example AMY@Example.TEST
is "$(fetch amy uid "subject capital")" 2 "a name in capitals is the same user"

message "Team" | smtp ada@client.example helpdesk@example.test
is "$(fetch amy uid "subject Team")|$(fetch bob uid "subject Team")" "3|1" \
	"an alias for two users reaches both"
like "$(cat "$(files bob)")" "*X-Original-To: helpdesk@example.test*" \
	"and keeps the original recipient"

message "Detail" | smtp ada@client.example amy+lists@example.test
is "$(fetch amy "mailbox hdr.subject" "mailbox lists all")" "lists Detail" \
	"an extension names the folder"

message "Nobody" | smtp "" amy@example.test
is "$(grep -l "Subject: Nobody" $(files amy) | xargs head -n 1)" \
	"Return-Path: <>" "mail from the null sender has an empty Return-Path"

message "By sendmail" | sed 's/somebody@/bob@/' | sendmail -t -f ada@client.example
sleep 0.2
postfix_drain
is "$(fetch bob hdr.subject "subject sendmail")" "By sendmail" \
	"mail given to sendmail -t arrives"
