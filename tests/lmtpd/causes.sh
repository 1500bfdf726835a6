#!/bin/sh
# Every temporary reply to a message has a line in the log that says why.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
sieve = ~/script
sendmail_path = $TEST_WORK/bin/sendmail
mail_temp_dir = $home/spool
lmtp_memory_limit = 1M
END
printf '#!/bin/sh\n>"%s/hangs"\nexec sleep 60\n' "$home" >bin/sendmail
chmod 755 bin/sendmail
as_user mkdir "$home/spool"

ok "the server starts" start
# What is too long for lmtp_memory_limit goes to mail_temp_dir.
rmdir "$home/spool"
like "$(python3 - "$base/lmtp" <<'END'
import smtplib, sys
client = smtplib.LMTP(sys.argv[1])
client.ehlo("client.example")
client.mail("ada@client.example")
client.rcpt("amy")
print(client.data((b"x" * 998 + b"\r\n") * 5000)[0])
client.quit()
END
)" "45?" "a message that nobody can store comes again"
like "$(cat "$log")" \
	"*Error: <*>: cannot store a message in $home/spool: No such file*" \
	"the log says why"

echo 'redirect "bob@elsewhere.example";' >"$home/script"
send >reply &
waiting=$!
soon test -e "$home/hangs"
kill -9 "$(process worker)"
wait $waiting
like "$(cat reply)" "451 4.3.0 <amy> Temporary internal error" \
	"a worker that dies with a message is a temporary failure"
like "$(cat "$log")" "*Error: <*>: not delivered: the worker has gone*" \
	"the log names the session"
stop
done_testing
