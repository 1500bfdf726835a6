# The end: what is under way is finished, the rest is told to come again.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf stop <<END
mail_home = $TEST_WORK/home/vmail/stop/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
server_start stop
cat >"$TEST_WORK/stop.py" <<'END'
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import lmtp
idle = lmtp.Client(sys.argv[2])
busy = lmtp.Client(sys.argv[2])
busy.begin("ada@client.example", ["busy"])
busy.say("DATA", "354")
os.kill(int(sys.argv[3]), signal.SIGTERM)
print("idle", idle.reply()[-1])
busy.write(lmtp.mail("busy") + b".\r\n")
print("busy", busy.reply()[-1])
END
stop_out=$(python3 "$TEST_WORK/stop.py" "$TEST_SOURCE/tests/lib" \
	"$TEST_WORK/run-stop/lmtp" "$server_pid" 2>&1)
wait "$server_pid"
is $? 0 "SIGTERM ends the server with status 0"
like "$stop_out" "*idle 421 4.3.2*" "an idle client is told 421"
like "$stop_out" "*busy 250 2.0.0 <busy>*Saved" \
	"a message that is under way is delivered"
not_ok "the socket has gone" test -e "$TEST_WORK/run-stop/lmtp"
exits 75 "doorstep status says that nothing runs" \
	"$doorstep" -c "$TEST_WORK/stop.conf" status
is "$(pgrep -f "$TEST_WORK/stop.conf" | wc -l)" 0 "no process is left"

server_start stop
kill -9 "$server_pid"
stop_alone() {
	[ -z "$(pgrep -f -- --child=)" ]
}
ok "children do not outlive a master that was killed" wait_for 5 stop_alone
wait "$server_pid" 2>/dev/null
server_start stop
is "$(python deliver "$TEST_WORK/run-stop/lmtp" anew)" "anew 250" \
	"and a new one starts in its place"
ok "doorstep stop ends it" "$doorstep" -c "$TEST_WORK/stop.conf" stop
wait "$server_pid"
is $? 0 "with status 0"
