#!/bin/sh
# Room that is promised at RCPT goes back when no mail comes to fill it: long before
# the promise would end by itself.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
lmtp_rcpt_check_quota = yes
quota = maildir:User quota
quota_rule = *:messages=1
sieve = ~/.dovecot.sieve
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
END
for part in new cur tmp; do
	as_user mkdir -p "$home/Maildir/$part"
done
# session ACTION: what comes after RCPT, and the last reply.
session() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$1" <<'END'
import os
import sys
import time
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.say("MAIL FROM:<ada@client.example>", "250")
reply = client.say("RCPT TO:<amy>")[-1]
if reply.startswith("250") and sys.argv[3] == "mail":
    client.say("DATA", "354")
    client.write(b"Subject: x\r\n\r\nx\r\n")
    reply = client.say(".")[-1]
elif reply.startswith("250") and sys.argv[3] == "hold":
    print(os.getpid(), reply, flush=True)
    time.sleep(60)
if sys.argv[3] != "vanish":
    client.say(sys.argv[3] if sys.argv[3] != "mail" else "QUIT")
print(reply)
END
}
# The table is what others see: nothing is promised in it.
is_free() {
	[ -f "$home/Maildir/doorstep-quota" ] &&
		[ -z "$(tr -d ' \n' <"$home/Maildir/doorstep-quota")" ]
}
# is_welcome WHAT
is_welcome() {
	ok "$1: the room is free again" soon is_free
	like "$(session RSET)" "250 *" "$1: the next one is welcome"
	soon is_free
}

ok "the server starts" start
rm -f held
session hold >held 2>&1 &
soon grep -q 250 held
like "$(session QUIT)" "452 4.2.2 *" "one promise is all the room there is"
kill "$(cut -d " " -f 1 held)"
is_welcome "a client that went away"
like "$(session RSET)" "250 *" "a probe"
is_welcome RSET
like "$(session QUIT)" "250 *" "another one"
is_welcome QUIT
like "$(session vanish)" "250 *" "a client comes"
is_welcome "no word of parting"

rm -f held
session hold >held 2>&1 &
soon grep -q 250 held
kill -9 "$(process worker)"
kill "$(cut -d " " -f 1 held)"
is_welcome "the worker that promised has been killed"

echo "discard;" | as_user tee "$home/.dovecot.sieve" >/dev/null
like "$(session mail)" "250 *" "a mail that is discarded"
is_welcome "what is discarded needs no room"
as_user rm "$home/.dovecot.sieve"
like "$(session mail)" "250 *" "a mail comes"
like "$(session QUIT)" "552 5.2.2 *" "and now it is full"
ok "nothing is promised" is_free
stop
done_testing
