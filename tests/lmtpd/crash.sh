#!/bin/sh
# A process that dies of a fault says for whom it was at work.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

if nm "$program" 2>/dev/null | grep -qE ' (__asan|__tsan)_init'; then
	skip "faults are told" "a sanitizer tells more"
	done_testing
	exit
fi
sed -i 's|^mail_location = .*|mail_location = mbox:~/mbox:INBOX=~/inbox|' "$conf"
ok "the server starts" start
like "$(send)" "250 *Saved" "mail is delivered"
worker=$(process worker)

# Somebody else has the mailbox: the worker waits within a delivery.
python3 - "$home/inbox" <<'END' &
import fcntl, sys, time
box = open(sys.argv[1], "r+")
fcntl.lockf(box, fcntl.LOCK_EX)
open("locked", "w").close()
time.sleep(60)
END
locker=$!
at_end "kill -9 $locker 2>/dev/null"
soon test -e locked
send >reply 2>&1 &
sending=$!
is_busy() {
	"$TEST_BUILD/ctl/doorstep" -c "$conf" status |
		grep -qE '^worker +[0-9]+ +[0-9]+ busy '
}
ok "a worker is at work" soon is_busy
# It waits where it can be found: its files are open, the lock is not had.
waits() {
	find "/proc/$worker/fd" -lname "$home/inbox" | grep -q .
}
if ls "/proc/$worker/fd" >/dev/null 2>&1; then
	ok "and waits for the mailbox" soon waits
else
	skip "and waits for the mailbox" "only root sees its files"
fi
kill -SEGV "$worker"
wait $sending
is "$(cat reply)" "451 4.3.0 <amy> Temporary internal error" \
	"the client is asked to come again"
told="lmtp(amy)<$worker><[A-Za-z0-9+/:]*>: Error: died of signal 11 (Segmentation fault)"
is "$(grep -c "^$told\$" "$log")" 1 \
	"the worker names its user and session" || diag "$(cat "$log")"
kill $locker

front=$(process front)
kill -ABRT "$front"
ok "a front that dies comes back" soon is_new front "$front"
is "$(grep -c "^lmtp($front): Error: died of signal 6 (Aborted)\$" "$log")" 1 \
	"and has told it, in its empty root"
ok "mail is delivered" soon has_saved
ok "it ends" stop
done_testing
