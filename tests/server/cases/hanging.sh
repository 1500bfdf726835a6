# A relay that hangs, and users of many uids: half of the workers may wait for it,
# the others serve everybody else.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

hanging_relay=$TEST_WORK/hanging-relay
mkdir "$hanging_relay"
echo banner >"$hanging_relay/hang"
python3 "$TEST_SOURCE/tests/lib/relay.py" "$hanging_relay" 2>/dev/null &
at_end "kill -9 $! 2>/dev/null"
wait_for 10 test -f "$hanging_relay/port"
: >"$TEST_WORK/hanging-users"
for hanging_n in 1 2 3 4 5 6 7 8; do
	hanging_uid=$((61150 + hanging_n))
	hanging_home=$TEST_WORK/home/hanging$hanging_n
	install -d -m 700 -o $hanging_uid -g $hanging_uid "$hanging_home"
	echo "u$hanging_n::$hanging_uid:$hanging_uid::$hanging_home::" \
		>>"$TEST_WORK/hanging-users"
done
# Users 1, 2 and 3 forward; user 4 is away.
for hanging_n in 1 2 3; do
	echo "redirect \"u$hanging_n@elsewhere.example\";" \
		>"$TEST_WORK/home/hanging$hanging_n/.dovecot.sieve"
done
echo 'require "vacation"; vacation :addresses "u4@example.test" "away";' \
	>"$TEST_WORK/home/hanging4/.dovecot.sieve"
chmod 644 "$TEST_WORK"/home/hanging[1-4]/.dovecot.sieve
server_conf hanging <<END
mail_location = maildir:~/Maildir
submission_host = 127.0.0.1:$(cat "$hanging_relay/port")
submission_timeout = 60 secs
sieve_user_email = u4@example.test
mailer_retry_interval = 100 msecs
userdb {
  driver = passwd-file
  args = $TEST_WORK/hanging-users
}
service lmtp {
  process_limit = 4
  unix_listener lmtp {
    mode = 0666
  }
}
END
server_start hanging
hanging_target=$TEST_WORK/run-hanging/lmtp
# hanging N: so many sessions with the relay hang.
hanging() {
	[ "$(cat "$hanging_relay/hanging" 2>/dev/null)" = "$1" ]
}
# hanging_send USER: the reply's code.
hanging_send() {
	python3 - "$TEST_SOURCE/tests/lib" "$hanging_target" "$1" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2], timeout=90)
user = sys.argv[3]
text = "From: ada@x.example\r\nTo: %s@example.test\r\n\r\nx\r\n" % user
reply = client.send_message("ada@x.example", [user], text.encode())[0][-1]
client.quit()
print(" ".join(reply.split()[:2]))
END
}
hanging_send u1 >"$TEST_WORK/hanging-1" &
hanging_pids=$!
wait_for 10 hanging 1
hanging_send u2 >"$TEST_WORK/hanging-2" &
hanging_pids="$hanging_pids $!"
ok "two users' redirects wait for a relay that hangs" wait_for 10 hanging 2
is "$(hanging_send u3)" "451 4.3.2" "a third user's is put off at once"
is "$(for _ in 1 2 3 4 5 6; do hanging_send u4; done | sort | uniq -c |
	awk '{ print $1, $2, $3 }')" "6 250 2.0.0" \
	"somebody who is away gets mail"
is "$(for _ in 1 2 3; do for hanging_n in 5 6 7 8; do
	hanging_send u$hanging_n
done; done | sort | uniq -c | awk '{ print $1, $2, $3 }')" "12 250 2.0.0" \
	"so do four users with uids of their own"
ok "while the two still wait" kill -0 $hanging_pids
rm "$hanging_relay/hang"
# shellcheck disable=SC2086
wait $hanging_pids
is "$(cat "$TEST_WORK/hanging-1" "$TEST_WORK/hanging-2")" "451 4.4.2
451 4.4.2" "who waited in vain comes again"
is "$(hanging_send u1):$(hanging_send u2):$(hanging_send u3)" \
	"250 2.0.0:250 2.0.0:250 2.0.0" "the relay is back, and all leave"
hanging_left() {
	[ "$(cat "$hanging_relay"/[0-9]* | grep -c '^RCPT TO:<')" -eq 4 ]
}
ok "once each, and one answer" wait_for 20 hanging_left
server_stop
is "$(server_deaths hanging)" "" "no process has died"
