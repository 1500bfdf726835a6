# Virtual users: Postfix's pipe, one uid for all mail.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154


message "Virtual" | smtp ada@client.example dora@$domain
is "$(fetch dora@$domain "mailbox uid hdr.subject")" "INBOX 1 Virtual" \
	"a virtual user's mail is in its INBOX"
file=$(files dora@$domain)
is "$(stat -c '%U %G %a' "$file")" "vmail vmail 600" "it belongs to vmail"
is "$(grep -c '^Return-Path:' "$file")|$(grep -c '^Delivered-To:' "$file")" \
	"1|1" "Return-Path and Delivered-To stand there once"
message "Case" | smtp ada@client.example DORA@Virtual.Example.TEST
is "$(fetch dora@$domain uid "subject Case")" 2 "capitals mean the same user"
message "Folder" | smtp ada@client.example dora+offers@$domain
is "$(fetch dora@$domain "mailbox hdr.subject" "subject Folder")" \
	"offers Folder" "an extension names the folder"
message "Null" | smtp "" dora@$domain
is "$(grep -l "Subject: Null" $(files dora@$domain) |
	xargs grep -c '^Return-Path: <>$')" 1 "the null sender stays null"

script fs@$domain <<'END'
require ["fileinto", "mailbox"];
fileinto :create "Work/Projects/Öl & Gas";
END
message "Nested" | smtp ada@client.example fs@$domain
is "$(fetch fs@$domain "mailbox hdr.subject")" "Work/Projects/Öl & Gas Nested" \
	"LAYOUT=fs from the user database holds nested folders"
is "$(cd "$(home_of fs@$domain)/mail" && find . -name '*,S=*' | sed 's|/[^/]*$||')" \
	"./Work/Projects/&ANY-l &- Gas/new" "on disk in modified UTF-7"

message "Both" | smtp ada@client.example dora@$domain fs@$domain
is "$(fetch dora@$domain uid "subject Both")|$(fetch fs@$domain uid "subject Both")" \
	"4|2" "two recipients of one message both get it"
