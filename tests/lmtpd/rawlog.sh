#!/bin/sh
# Records of sessions, and their bounds.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

as_user mkdir -p "$home/raw"
echo "lmtp_rawlog_dir = $home/raw" >>"$conf"
raw() {
	cat "$home"/raw/*."$1"
}
count() {
	find "$home/raw" -type f -name "*.$1" | wc -l
}
# without_time <FILE: the lines themselves.
without_time() {
	sed 's/^[0-9]*\.[0-9]\{6\} //' | tr -d '\r'
}

ok "the server starts" start
like "$(send)" "250 *Saved" "a message is delivered"
is "$(count in) $(count out)" "1 1" "its session has two files"
is "$(raw in | without_time)" "lhlo client.example
mail FROM:<ada@client.example>
rcpt TO:<amy>
data
Subject: x

A line.
.
quit" "one is what the client sent"
is "$(raw out | without_time | grep -v '^250-' | cut -c 1-3 | tr '\n' ' ')" \
	"220 250 250 250 354 250 221 " "one is what it got"
is "$(raw in | grep -cvE '^[0-9]{10}\.[0-9]{6} ')" 0 \
	"each line has the time in front"
is "$(find "$home/raw" -type f ! -perm 600 | wc -l)" 0 "nobody else may read them"
is "$(basename "$home"/raw/*.in .in)" "$(basename "$home"/raw/*.out .out)" \
	"both have the same name"
session=$(sed -n 's/.*Connect from local, session=<\(.*\)>/\1/p' "$log" | tr / _)
is "$(find "$home/raw" -name "*-$session.in" | wc -l)" 1 "with the session's"
ok "it ends" stop

rm -f "$home"/raw/*
ok "with a bound of 1k for a file" start -o lmtp_rawlog_max_size=1k
python3 - "$base/lmtp" <<'END' >reply
import smtplib, sys
client = smtplib.LMTP(sys.argv[1])
client.ehlo("client.example")
client.mail("ada@client.example")
client.rcpt("amy")
print(client.data(b"Subject: x\r\n\r\n" + b"A line.\r\n" * 10000)[0])
client.quit()
END
is "$(cat reply)" 250 "a long message is delivered"
is "$(raw in | wc -c)" $((1024 + 26)) "the record ends there"
is "$(raw in | tail -n 1 | tr -d '\r')" "[lmtp_rawlog_max_size]" "and says so"
is "$(raw out | without_time | tail -n 1 | cut -c 1-3)" 221 \
	"the other one goes on"
ok "it ends" stop

rm -f "$home"/raw/*
ok "with a bound for all" start -o lmtp_rawlog_max_total=1k
for _ in 1 2 3 4 5 6; do
	send
done >replies
is "$(grep -c '^250.*Saved' replies)" 6 "mail is delivered"
ok "no more is recorded" test "$(cat "$home"/raw/* | wc -c)" -le 1024
is "$(grep -c 'Warning: lmtp_rawlog_dir: lmtp_rawlog_max_total is reached' "$log")" \
	1 "the log says so once"
kill -HUP "$server"
ok "a reload" soon grep -q '^generation=2$' "$base/status"
rm -f "$home"/raw/*
send >/dev/null
is "$(count in)" 1 "begins anew"
ok "it ends" stop

: >"$log"
ok "a folder that is not there" start -o lmtp_rawlog_dir=/no/such
is "$(grep -c 'Error: lmtp_rawlog_dir = /no/such: No such file or directory; no session is recorded' "$log")" \
	1 "is told in the log"
like "$(send)" "250 *Saved" "and mail is delivered"
ok "it ends" stop
done_testing
