#!/bin/sh
# Success notifications (RFC 3461): who is offered DSN leaves them to us.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

mkdir relay
python3 "$TEST_SOURCE/tests/lib/relay.py" relay 2>relay-log &
at_end "kill -9 $! 2>/dev/null"
soon test -f relay/port
cat >>"$conf" <<END
mail_location = maildir:~/%n
sieve = ~/%n.sieve
sendmail_path = $TEST_WORK/sendmail
lmtp_dsn = yes
END
cp "$conf" base.conf
echo "submission_host = 127.0.0.1:$(cat relay/port)" >>"$conf"
echo 'discard;' >"$home/bob.sieve"
echo 'redirect "eve@elsewhere.example";' >"$home/carl.sieve"
echo 'require "ereject"; ereject "no";' >"$home/dora.sieve"

# talk WAY SENDER PARAMETERS RCPT...: one message; the last lines of the replies
# behind the dot.  WAY: stay, or cut, which goes without another command.
talk() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
way, sender, parameters, recipients = *sys.argv[3:6], sys.argv[6:]
client = lmtp.Client(sys.argv[2])
client.say("MAIL FROM:<%s> %s" % (sender, parameters), "250")
for recipient in recipients:
    address, _, rest = recipient.partition(" ")
    client.say("RCPT TO:<%s> %s" % (address, rest), "250")
client.say("DATA", "354")
client.write(b"From: ada@client.example\r\nSubject: %s\r\n\r\nThe body.\r\n.\r\n"
             % " ".join(recipients).encode())
print(*[client.reply()[-1][:3] for _ in recipients])
if way != "cut":
    client.quit()
END
}
# The whole of what the relay got as its nth message.
sent() {
	cat "relay/$1"
}
count() {
	find relay -name '[0-9]*' ! -name '*.new' | wc -l | tr -d ' '
}
# Nothing is under way any more: one more message has its notification.
settled() {
	settled=$(($(count) + 1))
	talk stay "ada@client.example" "" \
		"last$settled NOTIFY=SUCCESS" >/dev/null
	soon test -f "relay/$settled"
}

ok "the server starts" start
is "$(talk stay ada@client.example "RET=FULL ENVID=QQ+2B314" \
	"amy+lists@example.test NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@other.example")" \
	250 "a message is taken whose sender wants to know"
ok "a notification leaves" soon test -f relay/1
like "$(sent 1)" "*MAIL FROM:<>*RCPT TO:<ada@client.example> NOTIFY=NEVER*" \
	"from the null sender, which wants none of it itself"
like "$(sed '1,/^$/d' relay/1 |
	python3 "$TEST_SOURCE/tests/lib/report.py" delivered 2>&1)" \
	"From: Postmaster <postmaster@*>
To: ada@client.example
*
Auto-Submitted: auto-generated (delivered)
*text: Your message to <amy+lists@example.test> was delivered.
> Original-Envelope-Id: QQ+314
> Reporting-MTA: dns; mx.example.test
> Original-Recipient: rfc822;a+b@other.example
> Final-Recipient: rfc822; amy+lists@example.test
> Action: delivered
> Status: 2.0.0
original: text/rfc822-headers
original subject: amy+lists@*" \
	"which says what was delivered, with the header alone (RFC 3461 4.3)"
like "$(cat "$log")" \
	"*lmtp(amy*)*sent delivery status notification to <ada@client.example>*" \
	"the log tells of it"

is "$(talk stay ada@client.example "" amy "bea NOTIFY=FAILURE" "cora NOTIFY=NEVER" \
	"dan NOTIFY=DELAY ORCPT=rfc822;x@y")" "250 250 250 250" \
	"others have not asked"
is "$(talk stay "" "" "amy NOTIFY=SUCCESS")" 250 "the null sender cannot"
is "$(talk stay ada@client.example "" "bob NOTIFY=SUCCESS")" 250 \
	"what a script discards is not delivered"
is "$(talk stay ada@client.example "" "dora NOTIFY=SUCCESS")" 550 \
	"nor what it refuses"
settled
is "$(count)" 2 "none of these has sent a notification"
is "$(talk stay ada@client.example "" "carl NOTIFY=SUCCESS")" 250 \
	"what a script redirects"
soon test -f relay/3
like "$(sent 3)" "*RCPT TO:<eve@elsewhere.example>*Subject: carl*" "leaves"
settled
is "$(count)" 4 "and is not called delivered"

is "$(talk cut ada@client.example "" "amy NOTIFY=SUCCESS")" 250 "a reply may be lost"
ok "the notification has left" soon test -f relay/5
is "$(talk stay ada@client.example "" "amy NOTIFY=SUCCESS")" 250 "the retry has the same"
settled
is "$(count)" 6 "and there is one notification"
is "$(talk stay ada@client.example "" "amy NOTIFY=SUCCESS" "bea NOTIFY=SUCCESS")" \
	"250 250" "of two recipients"
soon test -f relay/8
like "$(cat relay/7 relay/8)" \
	"*Final-Recipient: rfc822; *Final-Recipient: rfc822; *" "each is told of"
exits 0 "the server ends" stop

# ---- sendmail, and refusals by mail ----

cat >sendmail <<END
#!/bin/sh
{ echo "\$*"; cat; } >"$home/mail.new"
mv "$home/mail.new" "$home/mail"
END
chmod 755 sendmail
cp base.conf "$conf"
echo 'require "reject"; reject "no";' >"$home/dora.sieve"
ok "the server starts" start
is "$(talk stay ada@client.example "" "amy NOTIFY=SUCCESS")" 250 "a message is taken"
ok "a notification leaves by sendmail" soon test -f "$home/mail"
is "$(head -1 "$home/mail")" "-i -f <> -- ada@client.example" \
	"without -N, which some take for something else"
exits 0 "the server ends" stop

# ---- about broken messages ----

echo "submission_host = 127.0.0.1:$(cat relay/port)" >>"$conf"
ok "the server starts" start
cat >broken <<'END'
import os, sys, time
sys.path[:0] = [sys.argv[1] + "/tests/lib", sys.argv[1] + "/tests/lda"]
import broken, lmtp
def names():
    return {n for n in os.listdir("relay") if n.isdigit()}
before, sent = names(), 0
for name, original in broken.ORIGINALS.items():
    client = lmtp.Client(sys.argv[2])
    client.say("MAIL FROM:<ada@client.example>", "250")
    client.say("RCPT TO:<amy@example.test> NOTIFY=SUCCESS", "250")
    client.say("DATA", "354")
    text = original.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    client.write(lmtp.stuffed(text + b"\r\n") + b".\r\n")
    sent += client.reply()[-1].startswith("250")
    client.quit()
until = time.monotonic() + 30
while len(names() - before) < sent and time.monotonic() < until:
    time.sleep(0.05)
print("%d of %d" % (len(names() - before), sent))
for number in names() - before:
    raw = open("relay/" + number, "rb").read()
    raw = raw.split(b"\n\n", 1)[1].replace(b"\r\n", b"\n")
    try:
        broken.check(raw, "delivered")
    except Exception as error:
        print("%s: %s" % (type(error).__name__, error))
        print(raw[:2000].decode(errors="replace"))
assert sent > 30
END
python3 broken "$TEST_SOURCE" "$base/lmtp" >found 2>&1
is "$(sed 's/^\([0-9]*\) of \1$/all/' found)" all \
	"a notification about each broken message is whole"
exits 0 "the server ends" stop
done_testing
