#!/bin/sh
# Notifications by mail (RFC 5435, RFC 5436).
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# told: the notification, read back by another program.
told() {
	sed 1d "$home/outgoing" | python3 -c '
import email, email.policy, sys
raw = sys.stdin.buffer.read()
message = email.message_from_bytes(raw, policy=email.policy.default)
assert raw.isascii() or b"8bit" in raw
assert not message.defects, message.defects
assert message["Date"].datetime and message["Message-ID"]
assert message["Message-ID"] != "<hello@client.example>"
assert message["Auto-Submitted"].startswith("auto-notified; owner-email=\"")
for name, value in message.items():
    if name not in ("Date", "Message-ID", "MIME-Version", "X-Sieve"):
        assert len(message.get_all(name)) == 1, name
        print("%s: %s" % (name, value))
print("body: " + " / ".join(message.get_content().splitlines()))
' 2>&1
}
# sends NAME EXPECTED [OPTION...]: 1 or 0 notifications, and the message is kept.
sends() {
	sends_name=$1 sends_expected=$2
	shift 2
	rm -rf "$home/outgoing" "$home/Maildir"
	lda "$@"
	is "$status:$(count):$(cat "$home/outgoing" 2>/dev/null |
		grep -c '^Arguments: ')" "0:1:$sends_expected" "$sends_name"
}
envelope() {
	grep '^Arguments: ' "$home/outgoing"
}

fresh
script <<'END'
require "enotify";
notify "mailto:alm@example.com";
END
sends "a notification" 1 -f ada@client.example -a amy@example.test -r amy@example.test
is "$(envelope)" "Arguments: -i -f postmaster@mx.example.test -- alm@example.com" \
	"goes from the postmaster to the URI's address"
is "$(told)" 'From: Postmaster <postmaster@mx.example.test>
To: alm@example.com
Subject: Hello
In-Reply-To: <hello@client.example>
References: <hello@client.example>
Auto-Submitted: auto-notified; owner-email="amy@example.test"
Importance: Normal
X-Priority: 3 (Normal)
Content-Type: text/plain; charset="utf-8"
body: Notification of a new message.' "and says what it is about"
like "$(cat "$log")" "*sieve: msgid=<hello@client.example>: sent notification to <alm@example.com>*" \
	"the log tells (RFC 5435 8)"

script <<'END'
require "enotify";
notify :from "Amy <amy@example.test>" :importance "1" :message "Grüße, [Sieve]"
	"mailto:a@example.com,b%2Bc@example.com?to=D%20%3Cd@example.com%3E&cc=e@example.com&subject=no&body=Line%201%0D%0A%C3%84%0D%0A.%0D%0AFrom%20x&reply-to=f@example.com&from=g@example.com&auto-submitted=no&date=x&message-id=%3Cx@y%3E&received=x&x-evil=a%0D%0ABcc:%20h@example.com&bcc=i@example.com&mime-version=2&content-type=text/html";
END
sends "one with all that a URI can say" 1 -f ada@client.example -a amy@example.test
is "$(envelope)" "Arguments: -i -f amy@example.test -- a@example.com b+c@example.com d@example.com e@example.com" \
	"goes to all of them, from the script's :from"
is "$(told)" 'From: Amy <amy@example.test>
To: a@example.com, b+c@example.com, d@example.com
Subject: Grüße, [Sieve]
In-Reply-To: <hello@client.example>
References: <hello@client.example>
Auto-Submitted: auto-notified; owner-email="amy@example.test"
Reply-to: f@example.com
X-evil: a  Bcc: h@example.com
Cc: e@example.com
Importance: High
X-Priority: 1 (Highest)
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable
body: Line 1 / Ä / . / From x' "and ignores what is unsafe (RFC 5436 2.7)"

script <<'END'
require "enotify";
notify "mailto:alm@example.com?subject=From%20the%20URI&in-reply-to=%3Cz@example.com%3E";
END
sends "a subject of the URI" 1 -f ada@client.example -a amy@example.test
like "$(told)" "*Subject: From the URI
*In-reply-to: <z@example.com>*" "is used where there is no :message"

# ---- loops (RFC 5436 2.7) ----

sends "a message without a sender may be told of" 1 -f '<>'
is "$(envelope)" "Arguments: -i -f <> -- alm@example.com" "without a sender"
sends "and so it is with a setting" 1 -f '<>' \
	-o sieve_notify_mailto_envelope_from=recipient
is "$(envelope)" "Arguments: -i -f <> -- alm@example.com" "without a sender, too"
{ echo 'Auto-Submitted: auto-replied'; cat message; } >message-auto
input=message-auto
sends "an automatic message is not told of" 0 -f ada@client.example
like "$(cat "$log")" "*no notification is sent: the message is auto-submitted*" \
	"and the log says so"
{ echo 'Auto-Submitted: No'; cat message; } >message-auto
sends "one that says no is" 1 -f ada@client.example
{ echo 'List-Id: <talk.example.com>'; cat message; } >message-auto
sends "so is one from a list" 1 -f talk-request@example.com
input=message
script <<'END'
require ["enotify", "fileinto"];
notify :message "one" "mailto:a@example.com";
notify :message "two" "mailto:A@example.com,b@example.com";
notify :message "three" "mailto:b@example.com";
END
sends "nobody is told twice" 2 -f ada@client.example
is "$(grep -h '^Arguments: ' "$home/outgoing" | sed 's/.*-- //' | sort | tr '\n' ' ')" \
	"a@example.com b@example.com " "but each of them once"

# ---- settings ----

script <<'END'
require "enotify";
notify "mailto:alm@example.com";
END
for pair in sender=ada@client.example recipient=amy@example.test \
	orig_recipient=sales@example.test '"<x@example.test>"=x@example.test' \
	postmaster=postmaster@mx.example.test; do
	sends "sieve_notify_mailto_envelope_from = ${pair%=*}" 1 -f ada@client.example \
		-a sales@example.test -r amy@example.test \
		-o "sieve_notify_mailto_envelope_from=${pair%=*}"
	like "$(envelope)" "* -f ${pair#*=} -- *" "is ${pair#*=}"
done
sends "sieve_notify_max_notifications = 0" 0 -f ada@client.example \
	-o sieve_notify_max_notifications=0
like "$(cat "$home/.dovecot.sieve.log")" \
	"*local policy prohibits the use of a notify action*" "its owner is told"
sends "when it cannot be sent" 0 -f ada@client.example -o sendmail_path=/bin/false
like "$(cat "$log")" "*Error: sieve: failed to send notification to <alm@example.com>*" \
	"the message is kept and the log tells"

# ---- beside a refusal ----

fresh
script <<'END'
require ["enotify", "ereject"];
notify "mailto:alm@example.com";
ereject "no";
END
lda -e -f ada@client.example
is "$status:$(everything)" 77:0 "a message that is refused"
is "$(grep -c '^Arguments: ' "$home/outgoing")" 1 "can be told of (RFC 5435 7)"

ok "doorstep sieve test tells of it" sh -c "\"$TEST_BUILD/ctl/doorstep\" -o hostname=x \
	sieve test \"$home/.dovecot.sieve\" message |
	grep -qx 'notify \"mailto:alm@example.com\"'"
done_testing
