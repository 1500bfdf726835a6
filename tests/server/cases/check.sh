# lmtp_rcpt_check_quota: RCPT is answered by a worker, as the user.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

cat >"$TEST_WORK/users" <<END
one@example.test::61091:61091::$TEST_WORK/home/amy::
small@example.test::61091:61091::$TEST_WORK/home/amy::message_max_size=1000
wrong@example.test::61091:61091::$TEST_WORK/home/amy::mail=nonsense:~/mail
other@example.test::61092:61092::$TEST_WORK/home/bob::
END
check_conf() {
	server_conf check <<END
mail_location = maildir:~/Maildir
lmtp_rcpt_check_quota = $1
lookup_timeout = 2 secs
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
}
rm -rf "$TEST_WORK/home/amy/Maildir" "$TEST_WORK/home/bob/Maildir"
check_target=$TEST_WORK/run-check/lmtp

# check_rcpt ADDRESS [PARAMETERS]: the reply to RCPT alone.
check_rcpt() {
	python3 - "$TEST_SOURCE/tests/lib" "$check_target" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
print(client.begin("ada@client.example", sys.argv[3:4],
                   "".join(sys.argv[4:]))[0][-1])
client.quit()
END
}

check_conf no
server_start check
like "$(check_rcpt one@example.test)" "250 2.1.5 *" "without it RCPT is accepted"
like "$(check_rcpt small@example.test " SIZE=5000")" "250 2.1.5 *" \
	"whatever the user's own limits are"
is "$(server_processes worker | wc -l)" 0 "and no worker is started by it"
server_stop

check_conf yes
server_start check
like "$(check_rcpt small@example.test " SIZE=5000")" "552 5.2.3 *" \
	"SIZE= above the user's own message_max_size is refused at RCPT"
like "$(check_rcpt small@example.test " SIZE=500")" "250 2.1.5 *" \
	"a smaller one is not"
like "$(check_rcpt one@example.test " SIZE=5000")" "250 2.1.5 *" \
	"nor that of another user of the same uid"
like "$(check_rcpt wrong@example.test)" "451 4.3.5 *" \
	"a mail location that cannot be is a temporary failure at RCPT"
is "$(server_processes worker | wc -l)" 1 "one worker has answered all of them"
is "$(find "$TEST_WORK/home/amy" -name Maildir | wc -l)" 0 \
	"and has made no mailbox"
is "$(python deliver "$check_target" one@example.test other@example.test)" \
	"one@example.test 250
other@example.test 250" "a message goes to recipients that were checked"
check_worker=$(server_processes worker | head -n 1)
check_uid=$(stat -c %u "/proc/$check_worker")
if [ "$check_uid" = 61091 ]; then check_user=one; else check_user=other; fi
kill -STOP "$check_worker"
like "$(check_rcpt $check_user@example.test)" "451 4.3.0 *" \
	"a worker that does not answer is a temporary failure after lookup_timeout"
ok "and it is killed" wait_for 5 test ! -d "/proc/$check_worker"
like "$(cat "$TEST_WORK/log/check.log")" \
	"*worker process $check_worker did not answer within lookup_timeout*" \
	"and the log says why"
like "$(check_rcpt $check_user@example.test)" "250 2.1.5 *" \
	"the next one answers"
check_worker=$(pgrep -P "$server_pid" -n -f -- --child=worker)
kill -STOP "$check_worker"
check_rcpt $check_user@example.test >"$TEST_WORK/check.out" &
check_pid=$!
sleep 0.5
kill -9 "$check_worker"
wait $check_pid
like "$(cat "$TEST_WORK/check.out")" "451 4.3.0 *" \
	"a worker that dies with the question is a temporary failure"
like "$(check_rcpt $check_user@example.test)" "250 2.1.5 *" "for that one alone"
server_stop
is $? 0 "the server ends as it should"
