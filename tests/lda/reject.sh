#!/bin/sh
# A script that refuses: the exit status and standard error, or mail (RFC 5429).
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

fresh
script <<'END'
require "ereject";
ereject text:
I am not taking mail from you,
und schöne Grüße.
.
;
END
lda -e -f ada@client.example
is "$status" 77 "with -e a refusal is the status 77"
is "$err" "5.7.1 I am not taking mail from you,
und schöne Grüße." "and its reason is on standard error"
is "$(everything)" 0 "nothing is filed"
like "$(cat "$log")" "*rejected: I am not taking mail from you,*" \
	"the log has the refusal"
lda -e -f ada@client.example --exit-style qmail
is "$status" 100 "for qmail it is 100"
script <<'END'
require ["ereject", "variables"];
set "a" "0123456789012345678901234567890123456789";
set "b" "${a}${a}${a}${a}${a}${a}${a}${a}";
ereject "${b}${b}${b}${b}${b}${b}${b}${b}${b}${b}";
END
lda -e -f ada@client.example
is "$status" 77 "a very long reason"
ok "is cut" test ${#err} -lt 2060
like "$err" "5.7.1 0123*
\[...\]" "and says so"
script <<'END'
require ["reject", "fileinto"];
reject "no";
fileinto "Spam";
END
lda -e -f ada@client.example
is "$status:$(count)" 0:1 "a script that also files is in error and keeps"
like "$(cat "$home/.dovecot.sieve.log")" \
	"*:3:1: error: fileinto conflicts with the reject in line 2: *" \
	"and its owner is told"

# ---- without -e: mail to the sender ----

# report KIND: what the mail that went out says, read back by another program.
report() {
	sed 1d "$home/outgoing" | python3 "$TEST_SOURCE/tests/lib/report.py" "$1" \
		2>&1
}
# sends NAME EXPECTED [OPTION...]: 1 or 0 mails, a success and nothing filed.
sends() {
	sends_name=$1 sends_expected=$2
	shift 2
	rm -f "$home/outgoing"
	lda "$@"
	is "$status:$err:$(everything):$(cat "$home/outgoing" 2>/dev/null |
		grep -c '^Arguments: ')" "0::0:$sends_expected" "$sends_name"
}
# refuses COMMAND: the script.
refuses() {
	printf 'require "%s"; %s "No,\nthank you.";' "$1" "$1" | script
}

fresh
refuses reject
sends "reject is a mail" 1 -f ada@client.example -a sales@example.test \
	-r amy@example.test
is "$(head -1 "$home/outgoing")" \
	"Arguments: -i -f <> -- ada@client.example" "from nobody, to the sender"
is "$(report mdn)" "From: Postmaster on behalf of the recipient <sales@example.test>
To: ada@client.example
Subject: Rejected: Hello
Auto-Submitted: auto-replied (rejected)
In-Reply-To: <hello@client.example>
text: Your message to <sales@example.test> was automatically rejected: / No, / thank you.
> Reporting-UA: mx.example.test; Doorstep
> Original-Recipient: rfc822; sales@example.test
> Final-Recipient: rfc822; amy@example.test
> Original-Message-ID: <hello@client.example>
> Disposition: automatic-action/MDN-sent-automatically; deleted
original: text/rfc822-headers
original subject: Hello" "which is a disposition notification (RFC 8098)"
like "$(cat "$log")" "*rejected: sent a disposition notification to <ada@client.example>" \
	"the log tells"
refuses ereject
sends "ereject is a mail, too" 1 -f ada@client.example -a amy@example.test \
	-r amy@example.test
is "$(report dsn)" "From: Postmaster <postmaster@mx.example.test>
To: ada@client.example
Subject: Rejected: Hello
Auto-Submitted: auto-replied (rejected)
In-Reply-To: <hello@client.example>
text: Your message to <amy@example.test> was automatically rejected: / No, / thank you.
> Reporting-MTA: dns; mx.example.test
> Original-Recipient: rfc822; amy@example.test
> Final-Recipient: rfc822; amy@example.test
> Action: failed
> Status: 5.7.1
original: text/rfc822-headers
original subject: Hello" "which is a delivery status notification (RFC 3464)"

sends "the settings have words of their own" 1 -f ada@client.example \
	-a amy@example.test -o 'rejection_subject=Nein: %s' \
	-o 'rejection_reason=An <%t>:%n%r' -o postmaster_address=pm@example.test
like "$(report dsn)" "From: Postmaster <pm@example.test>
*Subject: Nein: Hello
*text: An <amy@example.test>: / No, / thank you.*" "and they are sent"

fresh
printf 'require "reject"; reject "Grüße\r\n.\r\nFrom hier";' | script
{
	printf 'From: Ada <ada@client.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n'
	printf 'Original-Recipient: rfc822;boss@example.test\r\n'
	printf 'X-Raw: \303\274\r\n\r\nText\r\n'
} >message-8bit
input=message-8bit
sends "a reason and a header that are not ASCII" 1 -f ada@client.example \
	-r 'ämy@example.test'
like "$(report mdn)" "*Subject: Rejected: Grüße
*text: *rejected: / Grüße / . / From hier
*> Original-Recipient: rfc822;boss@example.test
*> Final-Recipient: utf-8; *my@example.test
*original subject: *" "are sent in a form that all can read"
input=message

# RFC 3834 2, RFC 8098 4, RFC 3464 2: to whom nothing is sent.
fresh
refuses reject
sends "no mail to the null sender" 0 -f '<>'
like "$(cat "$log")" "*rejected without a word to the sender: it has no sender" \
	"and the log says why"
sends "none without a sender" 0
for sender in MAILER-DAEMON@client.example owner-talk@client.example \
	talk-request@client.example listserv@client.example; do
	sends "none to $sender" 0 -f "$sender"
done
for field in 'Auto-Submitted: auto-replied (vacation)' 'List-Id: <talk.client.example>' \
	'List-Unsubscribe: <mailto:a@b.example>' 'Precedence: bulk' 'precedence: junk' \
	'Auto-Submitted: (yes) auto-generated; a=b'; do
	{ echo "$field"; cat message; } >message-auto
	input=message-auto
	sends "none about a message with $field" 0 -f ada@client.example
done
for field in 'Auto-Submitted: no' 'Auto-Submitted: (hand) No; x=y' \
	'Precedence: first-class'; do
	{ echo "$field"; cat message; } >message-auto
	sends "one about a message with $field" 1 -f ada@client.example
done
input=message

# RFC 5429 2.4: "reject" MUST be incompatible with "vacation".
fresh
echo 'require "vacation"; vacation "I am away.";' >"$home/before.sieve"
sends_before() {
	rm -f "$home/outgoing"
	lda "$@" -f ada@client.example -a amy@example.test -r amy@example.test \
		-o 'sieve_before=~/before.sieve'
	grep -h '^Subject: ' "$home/outgoing" 2>/dev/null | head -n 1
}
is "$(sends_before)" "Subject: Auto: Hello" "a script before it may answer"
fresh
echo 'require "vacation"; vacation "I am away.";' >"$home/before.sieve"
refuses reject
is "$(sends_before):$(grep -c '^Arguments: ' "$home/outgoing")" \
	"Subject: Rejected: Hello:1" "but a refusal is all the answer there is"
is "$(sends_before -e)" "" "by an exit status, too"

fresh
refuses reject
lda -f ada@client.example -o sendmail_path=/bin/false
is "$status:$(everything)" 75:0 "when the mail cannot be sent the message waits"
done_testing
