#!/bin/sh
# A quota whose count state keeps: by LMTP, doorstep-lda, doorstep quota.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
lmtp_rcpt_check_quota = yes
quota = dict:User quota:
quota_rule = *:storage=10K:messages=20
quota_grace = 0
END
install -m 755 "$TEST_BUILD/lda/doorstep-lda" bin/doorstep-lda
# deliver BYTES: by LMTP; prints the last reply.
deliver() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.say("MAIL FROM:<ada@client.example>", "250")
reply = client.say("RCPT TO:<amy>")[-1]
if reply.startswith("250"):
    client.say("DATA", "354")
    client.write(b"Subject: x\r\n\r\n" + b"x\r\n" * (int(sys.argv[3]) // 2))
    reply = client.say(".")[-1]
print(reply)
client.quit()
END
}
lda() {
	printf 'Subject: y\n\n%*s\n' "$1" y |
		as_user "$TEST_WORK/bin/doorstep-lda" -c "$conf" -e -d amy
}
doorstep() {
	as_user "$TEST_BUILD/ctl/doorstep" -c "$conf" "$@"
}
told() {
	doorstep --json quota get -u amy >told
	python3 -c 'import json; r = json.load(open("told"))[0]["roots"][0]
print(r["backend"], r["bytes"], r["messages"])'
}
there() {
	find "$home/Maildir/new" -type f -printf '%s\n' |
		awk '{ b += $1; n++ } END { print "dict", b + 0, n + 0 }'
}
mark=$home/Maildir/doorstep-count

ok "the server starts" start
like "$(deliver 1000)" "250 *Saved" "a mail fits"
like "$(deliver 3000)" "250 *Saved" "and another one"
is "$(told)" "$(there)" "the count is that of the mail"
ok "state keeps it: there is no file" test ! -e "$mark"

# What nobody told us of shows that the count is kept, not made.
before=$(told)
as_user cp "$(find "$home/Maildir/new" -type f | head -n 1)" \
	"$home/Maildir/new/foreign"
is "$(told)" "$before" "the count is not made anew each time"
doorstep quota recalc -u amy >/dev/null
is "$(told)" "$(there)" "doorstep quota recalc counts"
ok "and leaves no mark" test ! -e "$mark"

ok "doorstep-lda beside a server delivers" lda 500
is "$(told)" "$(there)" "and has it counted by the server's state"
ok "so there is no file of its own" test ! -e "$mark"

like "$(deliver 9000)" "552 5.2.2 *" "what passes the limit is refused"
as_user find "$home/Maildir/new" -type f -size +1k -delete
like "$(deliver 6000)" "250 *Saved" \
	"room that a reader made is found before anybody is refused"
is "$(told)" "$(there)" "and the count is right again"
like "$(doorstep quota check -u amy 9000)" "*does not fit*" \
	"doorstep quota check asks the count"

kill -9 "$(process state)"
like "$(deliver 10)" "250 *Saved" "after state was killed mail is taken"
is "$(told)" "$(there)" "and the count has outlived state"

kill -STOP "$(process state)"
stopped=$(process state)
deliver 10 >stopped 2>&1 &
waiter=$!
ok "while state hangs nothing is counted" soon test -s stopped
kill -CONT "$stopped" 2>/dev/null
wait $waiter
like "$(cat stopped)" "4[0-9]1 4.*" "and mail is deferred"
soon has_saved
is "$(told)" "$(there)" "the count is right when state is back"

stop
ok "doorstep-lda without a server delivers" lda 10
ok "and keeps a file of its own" test -s "$mark"
before=$(wc -l <"$mark")
ok "it delivers again" lda 10
is "$(wc -l <"$mark")" $((before + 1)) "and adds a line to it"
is "$(told)" "$(there)" "doorstep quota reads the file"
ok "the server starts again" start
like "$(deliver 10)" "250 *Saved" "and delivers"
is "$(told)" "$(there)" "the count has what was delivered without it"
ok "the file is gone" test ! -e "$mark"
as_user sh -c ": >'$mark'"
as_user cp "$(find "$home/Maildir/new" -type f | head -n 1)" \
	"$home/Maildir/new/foreign2"
is "$(told)" "$(there)" "an empty file has the mail counted anew"
ok "and goes" test ! -e "$mark"
stop

cat >>"$conf" <<END
quota = dict:User quota::proxy::quota
END
as_user "$program" -F -c "$conf" >out 2>&1
is "$?" 78 "another dictionary is an error at the start"
like "$(cat out)" '*found "proxy::quota", expected dict:NAME:USER*' \
	"that says what there is"
done_testing
