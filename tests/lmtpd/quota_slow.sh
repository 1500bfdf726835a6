#!/bin/sh
# A quota that takes long to tell holds up nobody but its user.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

OTHERS=50

as_user mkdir -p "$home/amy/Maildir/new" "$home/bob/Maildir/new"
sed -i '/^userdb {/,/^}/d' "$conf"
cat >>"$conf" <<END
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
lmtp_rcpt_check_quota = yes
quota = maildir:User quota
quota_rule = *:storage=1M
END
cat >users <<END
amy::$lmtpd_uid:$lmtpd_uid::$home/amy::
bob::$lmtpd_uid:$lmtpd_uid::$home/bob::quota=count:User
END
# slow [TABLE]: amy's quota is slow, bob has mail.
slow() {
	python3 "$TEST_SOURCE/tests/lmtpd/quota_slow.py" \
		"$TEST_SOURCE/tests/lib" "$base/lmtp" amy bob $OTHERS "$@"
}

as_user touch "$home/amy/Maildir/doorstep-quota"
ok "the server starts" start
is "$(slow "$home/amy/Maildir/doorstep-quota")" "others: {'250'}
told meanwhile: 0
then: {'250'}" "somebody counts a mailbox: only its user waits, at RCPT"
stop

"$TEST_BUILD/ctl/doorstep" -c "$conf" -o "quota=dict:User::redis" config check \
	>has 2>&1
if grep -q 'no hiredis' has; then
	skip "a Redis that hangs" "this build has no hiredis"
	done_testing
	exit
fi
# It lets everybody in and never says a word.
python3 - >port <<'END' &
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
clients = []
while True:
    clients.append(listener.accept()[0])
END
at_end "kill -9 $! 2>/dev/null"
soon test -s port
redis=redis:host=127.0.0.1:port=$(cat port):timeout_msecs=4000
sed -i "s|^quota = .*|quota = dict:User::$redis|" "$conf"
rm -f "$log"
ok "the server starts with a Redis that hangs" start
is "$(slow)" "others: {'250'}
told meanwhile: 0
then: {'451'}" "only those wait whose count it has, and not for ever"
stop
is "$(find "$home/bob/Maildir/new" -type f | wc -l)" $((2 * OTHERS)) \
	"all other mail is there"
done_testing
