#!/bin/sh
# Two servers share a user's quota in Redis, which is killed, hangs and comes back.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

command -v redis-server >/dev/null || skip_all "redis-server is missing"
"$TEST_BUILD/ctl/doorstep" -c "$conf" -o "quota=dict:User::redis" config check \
	>has 2>&1
! grep -q 'no hiredis' has || skip_all "this build has no hiredis"

# A port that is free now; nobody takes it in the next moment.
port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
mkdir redis
[ "$(id -u)" -ne 0 ] || chown "$lmtpd_uid" redis
printf 'secret\n' >password
chmod 644 password
cat >>"$conf" <<END
lmtp_rcpt_check_quota = yes
quota = dict:User quota::redis:host=127.0.0.1:port=$port:prefix=q/:timeout_msecs=500
quota_redis_password = <$TEST_WORK/password
quota_rule = *:storage=10K:messages=30
quota_grace = 0
END
sed "s|^base_dir.*|base_dir = $home/run2|; s|^state_dir.*|state_dir = $home/state2|
	s|^log_path.*|log_path = $home/log2|" "$conf" >other.conf

redis_start() {
	$as_user redis-server --port "$port" --bind 127.0.0.1 --save '' \
		--dir "$TEST_WORK/redis" --requirepass secret \
		--appendonly no --daemonize no >redis.out 2>&1 &
	redis=$!
	at_end "kill -9 $redis 2>/dev/null"
	soon redis_says PING
}
redis_says() {
	REDISCLI_AUTH=secret redis-cli -p "$port" "$@" 2>/dev/null | grep -v '^$'
}
field() {
	redis_says HGET "q/$lmtpd_uid/1/amy" "$1"
}
# deliver SOCKET BYTES: prints the last reply.
deliver() {
	python3 - "$TEST_SOURCE/tests/lib" "$@" <<'END'
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
first() {
	deliver "$base/lmtp" "$@"
}
second() {
	deliver "$home/run2/lmtp" "$@"
}
saves() {
	case $("$@") in
	250*Saved) return 0 ;;
	esac
	return 1
}
there() {
	find "$home/Maildir/new" -type f -printf '%s\n' |
		awk '{ b += $1; n++ } END { print b + 0, n + 0 }'
}
kept() {
	echo "$(field bytes) $(field messages)"
}

ok "Redis starts" redis_start
ok "a server starts" start
one=$server
$as_user "$program" -F -c other.conf >out2 2>&1 &
two=$!
at_end "kill -9 $two 2>/dev/null"
ok "and another one" soon grep -q '^state=running' "$home/run2/status"

like "$(first 1000)" "250 *Saved" "one takes a mail"
like "$(second 2000)" "250 *Saved" "the other one another"
is "$(kept)" "$(there)" "Redis has the sum of both"
like "$(first 9000)" "552 5.2.2 *" "what the other one took counts"
waiters=
for number in 1 2 3 4 5; do
	first 10 >"said$number" &
	waiters="$waiters $!"
	second 10 >"other$number" &
	waiters="$waiters $!"
done
# shellcheck disable=SC2086 # one word for each
wait $waiters
is "$(kept)" "$(there)" "so it is with many at once"

kill -9 "$redis"
wait "$redis" 2>/dev/null
like "$(first 10)" "451 4.3.0 *" "without Redis mail is deferred"
ok "the log says why" grep -q "Redis 127.0.0.1:$port: " "$log"
count=$(there)
ok "Redis comes back, empty" redis_start
ok "and mail is taken again" soon saves first 10
ok "by the other one as well" soon saves second 10
is "$(kept)" "$(there)" "the count is right"
unlike "$(there)" "$count" "and has grown"

# It hangs: nobody else waits for it.
kill -STOP "$redis"
began=$(date +%s)
like "$(first 10)" "451 4.3.0 *" "mail is deferred while Redis hangs"
ok "soon" test $(($(date +%s) - began)) -lt 5
kill -CONT "$redis"
ok "and taken when it goes on" soon saves first 10
is "$(kept)" "$(there)" "the count is right"

# It goes away between RCPT and the end of the data: the mail is there then, or it is
# deferred; the mailbox knows.
python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$redis" >said <<'END'
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.say("MAIL FROM:<ada@client.example>", "250")
client.say("RCPT TO:<amy>", "250")
client.say("DATA", "354")
os.kill(int(sys.argv[3]), signal.SIGKILL)
client.write(b"Subject: x\r\n\r\ny\r\n")
print(client.say(".")[-1])
END
like "$(cat said)" "451 4.3.0 *" "a Redis that goes at DATA has mail deferred"
kill -9 "$redis" 2>/dev/null
wait "$redis" 2>/dev/null
sed 's/^quota_grace.*/&\nquota_dict_failure = ignore/' "$conf" >ignore.conf
cp ignore.conf "$conf"
before=$(awk -F= '/^reloads=/ { print $2 }' "$base/status")
has_reloaded() {
	[ "$(awk -F= '/^reloads=/ { print $2 }' "$base/status")" != "$before" ]
}
kill -HUP "$one"
soon has_reloaded
like "$(first 10)" "250 *Saved" "quota_dict_failure = ignore takes it"
like "$(first 20)" "250 *Saved" "and more"
ok "a mark is left" test -e "$home/Maildir/doorstep-count"
ok "Redis comes back" redis_start
ok "mail is taken" soon saves second 10
is "$(kept)" "$(there)" "and what came meanwhile is counted"
ok "the mark is gone" test ! -e "$home/Maildir/doorstep-count"
as_user cp "$(find "$home/Maildir/new" -type f | head -n 1)" \
	"$home/Maildir/new/foreign"
as_user "$TEST_BUILD/ctl/doorstep" -c "$conf" quota recalc -u amy >/dev/null
is "$(kept)" "$(there)" "doorstep quota recalc counts for Redis"

kill -TERM "$one" "$two"
wait "$one" "$two"
kill -9 "$redis"
done_testing
