#!/bin/sh
# The answers of vacation over LMTP: one of many, and no client waits for it.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

answers=$home/answers
cat >>"$conf" <<END
sieve = ~/script
sendmail_path = $TEST_WORK/bin/sendmail
END
cat >bin/sendmail <<END
#!/bin/sh
name=\$(mktemp "$answers/.XXXXXX")
{ printf 'Arguments: %s\n' "\$*"; cat; } >"\$name"
mv "\$name" "$answers/\${name##*/.}"
while [ -e "$home/hold" ]; do sleep 0.05; done
END
chmod 755 bin/sendmail
cat >"$home/script" <<'END'
require "vacation";
vacation "I am away.";
END
as_user mkdir "$answers"

# deliver SENDER CLIENTS MESSAGES: so many clients at the same time, each with so many
# messages; prints how often which code came.
deliver() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$@" <<'END'
import collections, sys, threading
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
target, sender, clients, messages = sys.argv[2:]
codes = collections.Counter()
together = threading.Barrier(int(clients))
def send(own):
    client = lmtp.Client(target)
    together.wait()
    for number in range(int(messages)):
        client.begin(sender, ["amy@example.test"])
        client.say("DATA", "354")
        client.write(b"From: %s\r\nTo: amy@example.test\r\nSubject: x\r\n"
                     b"Message-ID: <%d.%d@client.example>\r\n\r\nx\r\n.\r\n"
                     % (sender.encode(), own, number))
        codes[client.reply()[-1][:3]] += 1
    client.say("QUIT", "221")
threads = [threading.Thread(target=send, args=[own]) for own in range(int(clients))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*[f"{code}:{count}" for code, count in sorted(codes.items())])
END
}
answered() {
	find "$answers" -type f -name '[!.]*' | wc -l | tr -d ' '
}
has_answered() {
	[ "$(answered)" -ge "$1" ]
}
filed() {
	find "$home/Maildir/new" -type f | wc -l | tr -d ' '
}
idle() {
	! pgrep -f "$TEST_WORK/bin/sendmail" >/dev/null
}

ok "the server starts" start
is "$(deliver ada@client.example 1 1)" "250:1" "a message is taken"
ok "and answered" soon has_answered 1
if why=$(cat "$answers"/* | python3 "$TEST_SOURCE/tests/lda/vacation.py" \
	"arguments=-i -f <> -- ada@client.example" "From=amy@example.test" \
	"To=ada@client.example" "Subject=Auto: x" "text=I am away." \
	"In-Reply-To=<0.0@client.example>" "id=mx.example.test" 2>&1); then
	pass "the answer is what it is without a server"
else
	fail "the answer is what it is without a server" "$why"
fi
is "$(deliver ada@client.example 1 3)" "250:3" "further messages are taken"

# The program holds what it was given until the reply was read.
as_user touch "$home/hold"
is "$(deliver bo@client.example 1 1)" "250:1" \
	"the reply does not wait for the answer to be handed over"
ok "the answer is under way meanwhile" soon has_answered 2
as_user rm "$home/hold"
ok "it ends" soon idle
is "$(answered)" 2 "who was answered gets no second answer"

is "$(deliver cy@client.example 10 5)" "250:50" \
	"fifty messages of one sender are taken at the same time"
is "$(filed)" 55 "all of them are filed"
ok "one of them is answered" soon has_answered 3
ok "the last worker is done" soon idle
is "$(deliver cy@client.example 1 1)" "250:1" "another message is taken"
ok "the server stops" stop
is "$(answered)" 3 "and none of the others was answered"
done_testing
