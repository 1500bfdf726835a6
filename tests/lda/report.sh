#!/bin/sh
# Reports of abuse (vnd.dovecot.report, RFC 5965).
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# told: the report, read back by another program, without its dates.
told() {
	sed 1d "$home/outgoing" | python3 "$TEST_SOURCE/tests/lib/report.py" abuse \
		2>&1 | sed '/^> Arrival-Date: ..., .* +0000$/d'
}
envelope() {
	grep '^Arguments: ' "$home/outgoing"
}

fresh
script <<'END'
require "vnd.dovecot.report";
report "abuse" "Das ist Müll." "abuse@example.org";
END
lda -f ada@client.example -a amy@example.test -r amy@example.test
is "$status:$(count)" 0:1 "a message that is reported is kept"
is "$(envelope)" "Arguments: -i -f postmaster@mx.example.test -- abuse@example.org" \
	"the report leaves"
version=$("$TEST_BUILD/ctl/doorstep" --version | sed "s/.* //")
is "$(told)" "From: postmaster@mx.example.test
To: abuse@example.org
Subject: Hello
Auto-Submitted: auto-generated (report)
In-Reply-To: 
text: Das ist Müll.
> Feedback-Type: abuse
> User-Agent: Doorstep/$version
> Version: 1
> Original-Mail-From: <ada@client.example>
> Reporting-MTA: dns; mx.example.test
> Original-Rcpt-To: <amy@example.test>
original: message/rfc822
original subject: Hello" "and is a feedback report with the message"
like "$(cat "$log")" "*sent report to <abuse@example.org>*" "the log tells"

rm "$home/outgoing"
sed -i 's/report "/report :headers_only "/' "$home/.dovecot.sieve"
lda -f ada@client.example -o sieve_report_from=recipient -r amy@example.test
like "$(told)" "From: amy@example.test
*original: text/rfc822-headers*" "with :headers_only it has the header"
is "$(envelope)" "Arguments: -i -f amy@example.test -- abuse@example.org" \
	"sieve_report_from says from whom"

rm "$home/outgoing"
lda -f '<>'
is "$(envelope)" "Arguments: -i -f <> -- abuse@example.org" \
	"of a message without a sender it has none"
{
	echo 'Content-Type: multipart/report; report-type=feedback-report; boundary=x'
	cat message
} >message-report
input=message-report
rm "$home/outgoing"
lda -f ada@client.example
is "$status:$(ls "$home/outgoing" 2>/dev/null)" 0: "a report is not reported"
done_testing
