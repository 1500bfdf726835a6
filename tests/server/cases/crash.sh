# A process that dies of a fault within a session says in which, and for whom.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf crash <<END
mail_home = $TEST_WORK/home/vmail/crash/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
# crash_at KIND CALL COUNT TO: the process gets SIGSEGV at that call of the kernel, while it serves a
# client that names a recipient.  Prints what the client hears last.
crash_at() {
	crash_pid=$(server_processes "$1")
	: >"$TEST_WORK/crash.trace"
	strace -p "$crash_pid" -o "$TEST_WORK/crash.trace" -e "trace=$2" \
		--inject="$2:signal=SEGV:when=$3" 2>"$TEST_WORK/crash.strace" &
	crash_tracer=$!
	if ! wait_for 10 grep -q attached "$TEST_WORK/crash.strace"; then
		crash_why=$(tail -n 1 "$TEST_WORK/crash.strace")
		return 1
	fi
	python3 - "$TEST_SOURCE/tests/lib" "$TEST_WORK/run-crash/lmtp" "$4" \
		>"$TEST_WORK/crash.heard" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
try:
    client = lmtp.Client(sys.argv[2], greet=False)
    client.write(b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % sys.argv[3].encode())
    for _ in range(4):
        print(client.reply()[-1])
    print(client.say("NOOP")[-1])
except OSError:
    print("closed")
END
	wait $crash_tracer
	return 0
}
# crash_line: the last one, without its prefix and its session.
crash_line() {
	sed -n 's/^.*\(Error: died of signal.*session=<\)[A-Za-z0-9+/:]*/\1/p' \
		"$TEST_WORK/log/crash.log" | tail -n 1
}
# crash_in_question ...: the same; again when what it sent was the answer to a ping of
# master's, which is for nobody.
crash_in_question() {
	crash_at "$@" || return 1
	[ -z "$(crash_line)" ] || return 0
	wait_for 10 python deliver "$TEST_WORK/run-crash/lmtp" bob
	crash_at "$@"
}
crash_why=
command -v strace >/dev/null || crash_why="no strace here"
server_start crash
if [ -z "$crash_why" ] && crash_in_question lookup sendmsg 1 amy@example.org; then
	is "$(crash_line)" \
		"Error: died of signal 11 (Segmentation fault), session=<>, recipient=<amy>" \
		"lookup names the session and whom it looked up"
	like "$(tail -n 2 "$TEST_WORK/crash.heard")" "[24]5[01] *250 2.0.0 OK" \
		"and its client is answered"
	ok "it is started again" wait_for 10 python deliver \
		"$TEST_WORK/run-crash/lmtp" bob
else
	skip "lookup names the session" "$crash_why"
fi
# The second time it sends something it has all the replies, that to RCPT the last.
if [ -z "$crash_why" ] && crash_at front sendto 2 eve@example.org; then
	is "$(crash_line)" \
		"Error: died of signal 11 (Segmentation fault), session=<>, recipient=<eve@example.org>" \
		"front names the session and its newest recipient"
	is "$(tail -n 1 "$TEST_WORK/crash.heard")" closed "its client comes again"
	ok "it is started again" wait_for 10 python deliver \
		"$TEST_WORK/run-crash/lmtp" bob
else
	skip "front names the session" "$crash_why"
fi
server_stop
is $? 0 "the server ends as it should"
