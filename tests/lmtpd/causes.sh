#!/bin/sh
# Whoever is refused, or told to come again, finds in the log why.
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

ok "the server starts" start -o shutdown_timeout=1s
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

# What comes behind the reply takes its time: here the program of a warning.
cat >bin/warn <<END
#!/bin/sh
>"$home/warns"
while test -e "$home/hold"; do sleep 0.05; done
END
chmod 755 bin/warn
cat >>"$conf" <<END
sieve = ~/%n.sieve
quota = maildir:User quota
quota_rule = *:storage=10K
quota_warning_bin_dir = $TEST_WORK/bin
quota_warning = storage=10%% warn
END
echo 'require "ereject"; ereject "No, thanks.";' >"$home/amy.sieve"
as_user mkdir "$home/spool"
: >"$home/hold"
ok "the server starts with a warning that takes its time" start
python3 - "$base/lmtp" <<'END' >reply
import smtplib, sys
client = smtplib.LMTP(sys.argv[1])
client.ehlo("client.example")
client.mail("ada@client.example")
client.rcpt("amy")
client.rcpt("ben")
client.putcmd("data")
client.getreply()
client.send(b"x" * 3000 + b"\r\n.\r\n")
print(client.getreply()[0], client.getreply()[0])
client.quit()
END
cp "$log" log-at-reply
ok "the warning is given" soon test -e "$home/warns"
rm "$home/hold"
is "$(cat reply)" "550 250" "one recipient refuses the message"
like "$(cat log-at-reply)" "*rejected: No, thanks.*" \
	"the line about it is in the log before the client has its reply"
stop
done_testing
