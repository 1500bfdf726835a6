#!/bin/sh
# The command line, the start and how its failure is told.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

like "$(as_user "$program" --version)" "doorstep-lmtpd [0-9]*" "--version"
like "$(as_user "$program" --help)" "Usage: doorstep-lmtpd *" "--help"
exits 64 "an unknown option is exit 64" as_user "$program" --nonsense
exits 64 "an argument too many is exit 64" as_user "$program" nonsense
exits 64 "an unknown kind of process is exit 64" \
	as_user "$program" --child=nonsense
exits 70 "a child without a master ends" as_user "$program" --child=front

exits 78 "a wrong configuration is exit 78" \
	as_user "$program" -F -c "$conf" -o mail_fsync=sometimes
like "$(as_user "$program" -F -c "$conf" -o mail_fsync=sometimes 2>&1)" \
	"doorstep-lmtpd: *mail_fsync*" "and says what is wrong"
exits 78 "a base_dir that cannot be made is exit 78" \
	as_user "$program" -F -c "$conf" -o base_dir=/proc/nonsense
like "$(as_user "$program" -F -c "$conf" -o "service/lmtp=nonsense" 2>&1)" \
	"doorstep-lmtpd: -o: *" "what -o says is told without a line"
as_user sh -c 'umask 077; exec "$@"' sh "$program" --stdio -c "$conf" \
	-o base_dir="$home/above/it/run" </dev/null >out 2>&1
is "$(stat -c %a "$home/above" "$home/above/it" | tr '\n' ' ')" "755 755 " \
	"folders above base_dir can be passed whatever the umask is"
as_user "$program" -F -c "$conf" -o userdb/driver=nonsense >out 2>&1
sed 's/driver = static/driver = nonsense/' "$conf" >bad.conf
exits 69 "processes that do not come up are exit 69" \
	as_user "$program" -F -c bad.conf
is "$(pgrep -f "$program" | wc -l)" 0 "nothing runs then"

# Into the background: the caller is told when it can be used.
exits 0 "without -F it returns when it runs" as_user "$program" -c "$conf"
server=$(cat "$base/master.pid")
at_end "kill -9 $server 2>/dev/null"
ok "mail is delivered at once" has_saved
kill -TERM "$server"
ok "SIGTERM ends it" soon has_ended "$server"
exits 69 "in the background a failed start is told, too" \
	as_user "$program" -c bad.conf

# One session.
session() {
	printf '%s\r\n' "LHLO client.example" "MAIL FROM:<ada@client.example>" \
		"RCPT TO:<amy>" DATA "Subject: x" "" "A line." . QUIT |
		as_user "$program" --stdio -c "$conf" "$@" 2>err
}
rm -rf "$home/Maildir"
like "$(session)" "220 *250 2.0.0 <amy> * Saved*221 2.0.0 Bye*" \
	"--stdio is one session on standard input and output"
is "$(find "$home/Maildir/new" -type f | wc -l)" 1 "its mail is there"
is "$(pgrep -f "$program" | wc -l)" 0 "nothing runs afterwards"
# Sooner over than all processes have started.
failed=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	printf '%s\r\n' QUIT |
		as_user "$program" --stdio -c "$conf" >short 2>err ||
		failed=$((failed + 1))
done
is "$failed" 0 "a short session ends well"
start
like "$(session)" "220 *250 2.0.0 <amy> * Saved*221 2.0.0 Bye*" \
	"--stdio beside a server that runs"
ok "which goes on" has_saved
session lmtp >joined
like "$(cat joined)" "220 *221 2.0.0 Bye*" "--stdio SOCKET joins it"
session "$base/lmtp" >joined
like "$(cat joined)" "220 *221 2.0.0 Bye*" "also by the whole path"
ok "with its sockets" test -S "$base/state"
exits 0 "and ends well" stop
done_testing
