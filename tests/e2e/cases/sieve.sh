# What scripts can do, on real mail.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_user eva 61005
script eva <<'END'
require ["fileinto", "imap4flags", "copy", "variables", "subaddress",
	"envelope", "mailbox"];

if header :contains "subject" "[list]" {
	fileinto :create "Lists/Dev";
} elsif header :matches "subject" "file *" {
	fileinto :create "By/${1}";
} elsif header "subject" "seen" {
	setflag "\\Seen";
	keep;
} elsif header "subject" "flags" {
	fileinto :flags ["\\Flagged", "\\Answered"] "Flags";
} elsif header "subject" "discard" {
	discard;
} elsif header "subject" "redirect" {
	redirect "eva@outside.example";
} elsif header "subject" "copied" {
	redirect :copy "eva@outside.example";
} elsif header "subject" "twice" {
	fileinto "Twice";
	keep;
} elsif envelope :detail "to" "urgent" {
	addflag "\\Flagged";
	keep;
}
END
for subject in "[list] news" "file Müller" "file a.b" seen flags discard \
	redirect copied twice none; do
	message "$subject" | smtp ada@client.example eva@example.test
done
filed() {
	fetch eva "mailbox flags" "header subject $1" | sed 's/ *\\Recent//; s/ $//' |
		sort
}
is "$(filed list)" "Lists/Dev" "fileinto :create makes nested folders"
is "$(filed ller)" "By/Müller" "a matched 8-bit word names a folder"
is "$(filed seen)" 'INBOX \Seen' "setflag marks what keep files"
is "$(filed flags)" 'Flags \Answered \Flagged' "fileinto :flags marks its copy"
is "$(filed discard)" "" "discard leaves nothing"
is "$(filed copied)" "INBOX" "redirect :copy keeps a copy"
is "$(filed twice)" "INBOX
Twice" "fileinto and keep file two copies"
is "$(filed none)" "INBOX" "what no rule wants is kept"
redirected() {
	grep -l "^Envelope: .*eva@outside.example" "$TEST_WORK"/record/*
}
is "$(redirected | wc -l)" 2 "both redirects were handed to Postfix"
is "$(redirected | xargs sed -n 's/^Subject: //p' | sort)" "copied
redirect" "they are the messages themselves"
is "$(redirected | xargs grep -h '^Envelope:' | sort -u)" \
	"Envelope: ada@client.example eva@outside.example" \
	"redirect keeps the sender"
is "$(filed redirect)" "" "redirect alone files no copy"

message "urgent matter" | smtp ada@client.example eva+urgent@example.test
like "$(fetch eva "mailbox flags" "subject matter")" "*Flagged*" \
	"envelope :detail sees the extension"

machine_user flaw 61006
script flaw <<'END'
require "fileinto";
if header "subject" "x" { fileinto "X"; }
keeep;
fileinto 5;
END
message "Survives" | smtp ada@client.example flaw@example.test
is "$(fetch flaw "mailbox hdr.subject")" "INBOX Survives" \
	"a script in error means keep"
like "$(grep 'lda(flaw)' "$TEST_WORK/log/lda.log")" \
	"*: sieve: Failed to compile script*" "the admin's log has one line about it"
like "$(cat "$TEST_WORK/home/flaw/.dovecot.sieve.log")" "*3*keeep*" \
	"the user's log has the line and the word"

cat >>"$TEST_WORK/system.conf" <<END
plugin {
  sieve_before = $TEST_WORK/before.sieve
  sieve_after = $TEST_WORK/after.sieve
}
END
cat >"$TEST_WORK/before.sieve" <<'END'
require "imap4flags";
if header "x-spam" "yes" { setflag "\\Deleted"; }
END
cat >"$TEST_WORK/after.sieve" <<'END'
require "fileinto";
if header "subject" "after" { fileinto "After"; }
END
machine_user gabi 61007
message "after" | smtp ada@client.example gabi@example.test
is "$(fetch gabi "mailbox hdr.subject")" "After after" \
	"the script after the user's files mail"
message "after" | smtp ada@client.example eva@example.test
is "$(filed after)" "After" "also behind a user's script that keeps"
sed -i '/^plugin/,$d' "$TEST_WORK/system.conf"

# What a script refuses without -e the sender is sent by our own report.
machine_user rex 61013
script rex <<'EOF'
require "ereject";
ereject "I take no mail from you.";
EOF
message refused | smtp ada@client.example rex@example.test
report=$(grep -l "^Envelope: .* ada@client.example" "$TEST_WORK"/record/* |
	xargs grep -l "^Subject: Rejected: refused")
is "$(head -n 1 "${report:-/dev/null}")" "Envelope: MAILER-DAEMON ada@client.example" \
	"a refusal is handed to Postfix"
like "$(sed 1d "${report:-/dev/null}" |
	python3 "$TEST_SOURCE/tests/lib/report.py" dsn 2>&1)" \
	"*To: ada@client.example
*text: Your message to <rex@*> was automatically rejected: / I take no mail from you.
*> Status: 5.7.1
*original subject: refused" "as a delivery status notification"
is "$(fetch rex hdr.subject)" "" "and nothing is filed"
