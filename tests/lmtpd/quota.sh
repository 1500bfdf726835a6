#!/bin/sh
# Quota at RCPT and after DATA, by LMTP.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
lmtp_rcpt_check_quota = yes
quota = maildir:User quota
quota_rule = *:storage=10K
quota_rule2 = Trash:storage=+100%%
quota_rule3 = Spam:ignore
quota_grace = 1K
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  unix_listener trusted {
    mode = 0666
    trusted = yes
  }
}
END
# session PARAMETERS RCPT BYTES [PARAMETERS OF RCPT [SOCKET]]: the reply to RCPT when it is a refusal, else that
# to the message.
session() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
more = sys.argv[6] if len(sys.argv) > 6 else ""
socket = sys.argv[7] if len(sys.argv) > 7 else "lmtp"
client = lmtp.Client(sys.argv[2].removesuffix("lmtp") + socket)
client.say("MAIL FROM:<ada@client.example>" + sys.argv[3], "250")
reply = client.say("RCPT TO:<%s>%s" % (sys.argv[4], more))[-1]
if reply.startswith("250"):
    client.say("DATA", "354")
    client.write(b"Subject: x\r\n\r\n" + b"x\r\n" * (int(sys.argv[5]) // 2))
    print("after DATA:", client.say(".")[-1])
else:
    print("at RCPT:", reply)
client.quit()
END
}
stored() {
	find "$home/Maildir${1:+/$1}/new" -type f 2>/dev/null | wc -l
}
for folder in Trash Spam; do
	as_user mkdir -p "$home/Maildir/.$folder/cur" \
		"$home/Maildir/.$folder/new" "$home/Maildir/.$folder/tmp"
done

ok "the server starts" start
like "$(session " SIZE=20000" amy 10)" "at RCPT: 552 5.2.3 <amy> *" \
	"what no mailbox of the user would take is refused at RCPT"
like "$(session " SIZE=20000" amy+trash 10)" "after DATA: 250 *" \
	"the folder of the detail has its own limit"
like "$(session "" amy 9000)" "after DATA: 250 *Saved" "a first mail fits"
like "$(session " SIZE=9000" amy 10)" \
	"at RCPT: 552 5.2.2 <amy> Quota exceeded (mailbox for user is full)*" \
	"SIZE= is counted at RCPT"
like "$(session "" amy 9000)" \
	"after DATA: 552 5.2.2 <amy> Quota exceeded (mailbox for user is full)*" \
	"without SIZE= it is refused after DATA"
is "$(stored)" 1 "what was refused is not there"
like "$(session "" amy 1400)" "after DATA: 250 *" \
	"grace lets one delivery pass the limit"
like "$(session "" amy 10)" "at RCPT: 552 5.2.2 *" \
	"then nothing more is welcome, of whatever size"
like "$(session "" amy+trash 10)" "after DATA: 250 *" \
	"but for the folder that has more room"
like "$(session " SIZE=50000" amy+spam 10)" "after DATA: 250 *" \
	"and the one that does not count"
is "$(stored):$(stored .Trash):$(stored .Spam)" 2:2:1 "each is where it belongs"
is "$(grep -c ' Error: ' "$log")" 0 "a full mailbox is no error of the server"

# Who is trusted may pass it by.
like "$(session "" amy 10 "" trusted)" "at RCPT: 552 5.2.2 *" \
	"it is full for a trusted client, too"
like "$(session "" amy 10 " IGNOREQUOTA" lmtp)" "at RCPT: 555 5.5.4 *" \
	"IGNOREQUOTA is nothing for a stranger"
like "$(session " SIZE=30000" amy 20000 " IGNOREQUOTA" trusted)" \
	"after DATA: 250 *Saved" "with it a trusted client's mail is filed"
is "$(stored)" 3 "beyond the limit"
is "$(grep -c ' Error: ' "$log")" 0 "and without a complaint"
like "$(session "" amy 10 "" trusted)" "at RCPT: 552 5.2.2 *" \
	"the next one without it is refused"
as_user find "$home/Maildir/new" -size +30 -delete
as_user rm "$home/Maildir/maildirsize"
like "$(session "" amy 10)" "at RCPT: 552 5.2.2 *" "what it took is counted as ever"

# Others count the same.
as_user rm "$home/Maildir/maildirsize"
like "$(session "" amy 10)" "at RCPT: 552 5.2.2 *" \
	"a removed maildirsize is counted anew at RCPT"
ok "and is there again" test -s "$home/Maildir/maildirsize"
stop
ok "the server starts with quota_full_tempfail" start -o quota_full_tempfail=yes
like "$(session "" amy 10)" "at RCPT: 452 4.2.2 <amy> Quota exceeded*" \
	"quota_full_tempfail asks to come again"
stop
ok "the server starts without the check at RCPT" \
	start -o lmtp_rcpt_check_quota=no
like "$(session "" amy 10)" "after DATA: 552 5.2.2 <amy> *" \
	"then the refusal comes after DATA"
stop

as_user mkdir "$home/Maildir/.Other" "$home/Maildir/.Other/cur" \
	"$home/Maildir/.Other/new" "$home/Maildir/.Other/tmp"
ok "the server starts with a limit of messages for each folder" \
	start -o quota= -o quota_mailbox_message_count=1
like "$(session "" amy 10)" \
	"at RCPT: 552 5.2.2 <amy> Too many messages in the mailbox*" \
	"a folder that has so many is full at RCPT"
like "$(session "" amy+Other 10)" "after DATA: 250 *" "another one is not"
stop

# Many at a time, by several workers: never more than the limit and one grace.
as_user rm -rf "$home/Maildir"
ok "the server starts with workers for a crowd" start -o lmtp_jobs_together=1
python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" >crowd <<'END'
import sys, threading
sys.path.insert(0, sys.argv[1])
import lmtp
def one(number):
    client = lmtp.Client(sys.argv[2])
    client.say("MAIL FROM:<ada@client.example>", "250")
    reply = client.say("RCPT TO:<amy>")[-1]
    if reply.startswith("250"):
        client.say("DATA", "354")
        client.write(b"Subject: %d\r\n\r\n" % number + b"x\r\n" * 450)
        reply = client.say(".")[-1]
    replies.append(reply)
    client.quit()
replies = []
crowd = [threading.Thread(target=one, args=(n,)) for n in range(50)]
for thread in crowd:
    thread.start()
for thread in crowd:
    thread.join()
for reply in replies:
    print(reply)
END
is "$(grep -c '^[245]5[012] ' crowd)" 50 "fifty at once are all answered"
is "$(grep -c '^250 ' crowd)" "$(stored)" "what was told is there"
bytes=$(cat "$home"/Maildir/new/* | wc -c)
ok "and they stay within the limit and one grace: $bytes" \
	test "$bytes" -le 11264
is "$(awk 'NR > 1 { b += $1; n += $2 } END { print b, n }' \
	"$home/Maildir/maildirsize")" "$bytes $(stored)" "maildirsize is right"
stop
done_testing
