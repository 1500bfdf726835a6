# --stdio with its processes of its own: once and only once there, too.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

session_conf() {
	server_conf session <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
}

session_count() {
	find "$TEST_WORK/home/vmail/$1/Maildir/new" -type f | wc -l
}

# session_deliver USER RECIPIENT: a session of its own, started as USER.
session_deliver() {
	SUBJECT=twice python deliver "| setpriv --reuid=$1 --regid=$1 \
		--init-groups $lmtpd --stdio -c $TEST_WORK/session.conf" "$2" \
		2>>"$TEST_WORK/log/session-out"
}

session_conf
rm -rf "$TEST_WORK"/home/vmail/*
server_start session
session_deliver root r >/dev/null
is "$(session_deliver root r)" "r 250" "a session beside the server delivers"
is "$(session_count r)" 2 \
	"a message sent again on purpose is filed again: root's session confirms"
session_deliver vmail v >/dev/null
is "$(session_deliver vmail v)" "v 250" \
	"so does one whose user may not write the server's folders"
is "$(session_count v)" 2 "and confirms what its user delivered"
is "$(server_errors session)" "" "and the log knows no error"
server_stop
is $? 0 "the server ends as it should"

# Without a server, in folders that nobody can make.
rm -rf "$TEST_WORK/run-session" "$TEST_WORK/state-session" \
	"$TEST_WORK/log/session.log"
is "$(session_deliver vmail v)" "v 250" \
	"without a server and without a place for a memory a session delivers"
is "$(session_count v)" 3 "and files its message"
session_grep() {
	grep -c 'This session has no memory of deliveries' \
		"$TEST_WORK/log/session.log"
}
is "$(session_grep)" 1 "and the log says what it does without"
is "$(session_deliver root r)" "r 250" \
	"root's makes the folders and delivers without a server"
is "$(session_count r)" 3 "one message"
is "$(session_deliver root r)" "r 250" "and the same one again"
is "$(session_count r)" 4 "which is filed as well"

# Two at a time: the second one must not rely on what ends with the first.
cat >"$TEST_WORK/two.py" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
first = lmtp.Client("| " + sys.argv[2])
second = lmtp.Client("| " + sys.argv[2])
print(first.send_message("ada@client.example", ["one"], lmtp.mail("1"))[0][-1][:3])
second.begin("ada@client.example", ["two"])
second.say("DATA", "354")
first.quit()
second.write(lmtp.mail("2") + b".\r\n")
print(second.reply()[-1][:3])
second.quit()
END
# A log of root's own: fs.protected_regular may keep root from that of others.
is "$(python3 "$TEST_WORK/two.py" "$TEST_SOURCE/tests/lib" \
	"$lmtpd --stdio -c $TEST_WORK/session.conf -o log_path=$TEST_WORK/two.log" \
	2>&1)" "250
250" "two sessions at a time both deliver, whichever ends first"
is "$(find "$TEST_WORK/run-session" -name 'state*' | wc -l)" 0 \
	"and leave no socket behind"
