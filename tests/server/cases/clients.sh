# Clients of all kinds: libraries, test tools, pipes, and those that are slow.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf clients <<END
mail_home = $TEST_WORK/home/vmail/clients/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
message_max_size = 1M
lmtp_idle_timeout = 2 secs
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  process_limit = 2
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2403
  }
  unix_listener lmtp {
    mode = 0666
  }
  unix_listener $TEST_WORK/elsewhere/second {
    mode = 0600
    user = vmail
  }
}
END
mkdir -p "$TEST_WORK/elsewhere"
server_start clients
target=$TEST_WORK/run-clients/lmtp
mail_of() {
	cat "$TEST_WORK/home/vmail/clients/$1/Maildir/new/"* 2>/dev/null
}
python3 - <<'END' >"$TEST_WORK/smtplib.out" 2>&1
import smtplib
client = smtplib.LMTP("127.0.0.1", 2403)
print(client.sendmail("ada@client.example", ["lib"], "Subject: lib\n\n.dot\n"))
client.quit()
END
is "$(cat "$TEST_WORK/smtplib.out")" "{}" "Python's smtplib delivers"
like "$(mail_of lib)" "*
.dot" "a dot at the beginning of a line comes through"
if command -v swaks >/dev/null; then
	ok "swaks delivers by TCP" swaks --protocol LMTP -s 127.0.0.1 -p 2403 \
		-f ada@client.example -t swaks@example.test
	ok "and by a Unix socket" swaks --protocol LMTP --socket "$target" \
		-f ada@client.example -t swaks@example.test
else
	skip "swaks delivers" "no swaks here"
fi
is "$(stat -c '%a %U' "$TEST_WORK/elsewhere/second")" "600 vmail" \
	"a second listener has its own mode and owner"
is "$(python deliver "$TEST_WORK/elsewhere/second" other)" "other 250" \
	"and serves"
piped() {
	printf 'LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: p\r\n\r\nx\r\n.\r\nQUIT\r\n' "$1"
}
like "$(piped pipe | "$lmtpd" -c "$TEST_WORK/clients.conf" \
	--stdio 127.0.0.1:2403)" "*250 2.0.0 <pipe> * Saved*221*" \
	"--stdio joins a pipe to the running server by TCP"
like "$(piped pipe | "$lmtpd" -c "$TEST_WORK/clients.conf" --stdio "$target")" \
	"*250 2.0.0 <pipe> * Saved*221*" "and by its socket"
like "$(piped alone | "$lmtpd" -c "$TEST_WORK/clients.conf" --stdio)" \
	"*250 2.0.0 <alone> * Saved*221*" "--stdio alone serves one session"
is "$(mail_of alone | grep -c '^Subject: p')" 1 "and files its message"
is "$(SIZE=2000000 python deliver "$target" big)" "big 552" \
	"what is too big is refused for good"
python3 "$TEST_SOURCE/tests/server/slow.py" "$target" 40 \
	>"$TEST_WORK/slow.out" 2>&1
is "$(cat "$TEST_WORK/slow.out")" "fast 250
slow 421 4.4.2" "40 clients in the middle of their messages cost no worker, and are ended when they say nothing"
like "$(cat "$TEST_WORK/log/clients.log")" "*Info: Connect from 127.0.0.1*" \
	"connections are logged"
like "$(cat "$TEST_WORK/log/clients.log")" \
	"*Info: Disconnect from 127.0.0.1: Logged out*" "and their ends"
server_stop
is "$(server_deaths clients)" "" "nothing broke"
