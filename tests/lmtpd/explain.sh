#!/bin/sh
# What the server keeps of each delivery, for `doorstep explain`.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

install -m 755 "$TEST_BUILD/ctl/doorstep" bin/doorstep
cat >>"$conf" <<END
mail_location = maildir:~/%n
sieve = ~/%n.sieve
lda_mailbox_autocreate = yes
lmtp_rcpt_check_quota = yes
first_valid_uid = 1
quota = maildir:User quota
quota_grace = 0
END
sed -i "s|args = .*|args = $TEST_WORK/users|; s|driver = static|driver = passwd-file|" \
	"$conf"
for user in amy bob eve full; do
	install -d -m 700 -o "$lmtpd_uid" "$home/$user"
	echo "$user:x:$lmtpd_uid:$lmtpd_uid::$home/$user::$(
		[ $user != full ] || echo "userdb_quota_rule=*:storage=10B"
	)"
done >users
echo 'require "fileinto"; fileinto "Lists";' >"$home/amy/amy.sieve"
echo 'require "ereject"; ereject "No, Eve";' >"$home/eve/eve.sieve"
kept=$home/amy/.doorstep-explain

# explain ARGUMENT...: sets $status, $out and $err.
explain() {
	as_user env PATH="$PATH" TZ=UTC LC_ALL=C USER=operator HOME=/ \
		"$TEST_WORK/bin/doorstep" -c "$conf" explain "$@" >.out 2>.err
	status=$?
	out=$(cat .out)
	err=$(cat .err)
}
says() {
	if grep -q -- "$2" .out; then
		pass "$1"
	else
		fail "$1" "no line is like $2" "$out" "$err" "$(tail -n 5 "$log")"
	fi
}
# talk ID ADDRESS...: one message; the replies.
talk() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$@" <<'END'
import os, sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
client = lmtp.Client(sys.argv[2])
client.say("MAIL FROM:<ada@client.example>" + os.environ.get("MAIL", ""), "250")
taken = 0
for address in sys.argv[4:]:
    reply = client.say("RCPT TO:<%s>" % address)
    print(reply[-1])
    taken += reply[-1].startswith("250")
if taken:
    client.say("DATA", "354")
    client.write(b"Message-ID: <%s>\r\n\r\nHello.\r\n.\r\n" % sys.argv[3].encode())
    for _ in range(taken):
        print("\n".join(client.reply()))
client.quit()
END
}

ok "the server starts" start
talk 1@c amy bob eve >replies
# Nobody waits: it is kept when the reply comes.
explain -u amy '<1@c>'
is "$status" 0 "when the reply comes it can be explained"
says "by its rule" "Filed into \"Lists\" by $home/amy/amy.sieve:1\$"
says "with the file" "    as $(basename "$(find "$home/amy/amy/.Lists/new" -type f)")\$"
says "and the session of the log" "lmtp session "
session=$(sed -n 's/.*lmtp session \([^,]*\),.*/\1/p' .out)
ok "which is in the log" grep -q "<$session>" "$log"
explain -u eve '<1@c>'
says "who was refused is told why" "Refused: ereject by $home/eve/eve.sieve:1\$"
says "with the words of the reply" "Refused: 5.7.1 No, Eve\$"
explain -u bob '<1@c>'
says "who has no script has the implicit keep" "by the implicit keep: there is no script\$"
explain '<1@c>'
is "$status:$(grep -c '<1@c>$' .out)" 0:3 "without a user all are told that are ours"
explain --json '<1@c>'
is "$(python3 -c '
import json
print(sorted(d["user"] for d in json.load(open(".out"))))')" "['amy', 'bob', 'eve']" \
	"in JSON as well"
explain --json '<2@c>'
is "$status:$out" "1:[]" "nothing found is an empty list"
explain "$(find "$home/amy/amy/.Lists/new" -type f)"
is "$status:$(grep -c 'user amy$' .out)" 0:1 "a file is found without a user"

# ---- before there is a message ----

explain -u nobody
is "$status" 67 "a user whom nobody knows is told"
like "$(talk 3@c nobody)" "550 5.1.1 *" "as at RCPT"
like "$(MAIL=" SIZE=100000" talk 4@c full)" "552 5.2.* *" "a full mailbox refuses at RCPT"
explain -u full
says "which is kept" "before the message came\$"
says "with its reason" "Refused at RCPT: 5.2.[23] Quota exceeded"

# ---- many at once ----

python3 - "$TEST_SOURCE" "$base/lmtp" <<'END'
import sys, threading
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
def deliver(first):
    client = lmtp.Client(sys.argv[2])
    for number in range(first, 100, 10):
        client.send_message("ada@client.example", ["amy", "bob"],
            b"Message-ID: <many%d@c>\r\n\r\nHello.\r\n" % number)
threads = [threading.Thread(target=deliver, args=(n,)) for n in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
END
is "$(python3 -c '
import json, sys
print(len({json.loads(line)["message_id"] for line in sys.stdin}))' <"$kept")" 101 \
	"a hundred deliveries at once are all kept, each in a line"
stop
is "$?" 0 "the server ends"
is "$(grep -c ' Error: \| Warning: ' "$log")" 0 "no error was logged"

start -o explain_log=
rm -f "$kept"
talk 5@c amy >/dev/null
stop
not_ok "explain_log = (empty) keeps nothing" test -e "$kept"
done_testing
