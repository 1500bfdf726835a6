# System users: mailbox_command as the sample has it; the environment tells.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_user plain 61003
script plain <<'END'
require ["fileinto", "envelope"];
if envelope "from" "ada@client.example" { fileinto "Ada"; }
END
message "Environment" | smtp ada@client.example plain@example.test
is "$(fetch plain "mailbox hdr.subject")" "Ada Environment" \
	"the sender is known without -f"
message "Detail" | smtp bea@client.example plain+work@example.test
is "$(fetch plain "mailbox hdr.subject" "subject Detail")" "INBOX Detail" \
	"EXTENSION alone names no folder"
cp "$TEST_WORK/system.conf" "$TEST_WORK/system.conf.before"
printf 'lmtp_save_to_detail_mailbox = yes\nlmtp_detail_autocreate = yes\n' \
	>>"$TEST_WORK/system.conf"
message "Saved" | smtp bea@client.example plain+work@example.test
is "$(fetch plain "mailbox hdr.subject" "subject Saved")" "work Saved" \
	"but does where details are to be saved"
cp "$TEST_WORK/system.conf.before" "$TEST_WORK/system.conf"
message "Null" | smtp "" plain@example.test
is "$(fetch plain "mailbox hdr.subject" "subject Null")" "INBOX Null" \
	"an empty SENDER is the null sender"
like "$(cat $(files plain))" "*Return-Path: <>*" \
	"which is written as an empty Return-Path"
