#!/bin/sh
# What the client is told of a cause, and the log of where mail came from.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

# A folder where no mailbox can be made: its name is a file's.
: >"$home/file"
sed -i "s|^mail_location = .*|mail_location = maildir:$home/file/%n|
	/^userdb {/,/^}/d" "$conf"
cat >>"$conf" <<END
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
echo "amy::$lmtpd_uid:$lmtpd_uid::$home::" >users
echo "eve::nobody-has-this:$lmtpd_uid::$home::" >>users
ok "the server starts" start
is "$(send amy)" "451 4.3.0 <amy> Temporary internal error" \
	"why a mailbox is in trouble the client is not told"
is "$(send eve)" "451 4.3.5 <eve> Temporary internal error" \
	"nor why a user is"
ok "it stops" stop
echo "lmtp_verbose_replies = yes" >>"$conf"
ok "with lmtp_verbose_replies it starts" start
like "$(send amy)" "451 4.* <amy> *$home/file/amy*Not a directory*" \
	"it tells what the worker knows"
like "$(send eve)" "451 4.3.5 <eve> *nobody-has-this*" "and what lookup knows"
like "$(send nobody)" "550 5.1.1 <nobody> User doesn't exist: nobody" \
	"other replies are as before"
ok "it stops" stop

echo "login_trusted_networks = 127.0.0.0/8
service lmtp {
  unix_listener lmtp {
    trusted = yes
  }
}" >>"$conf"
ok "it starts" start
python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.say("XFORWARD NAME=spike.example ADDR=IPV6:2001:db8::7 IDENT=4Xyz12", "250")
client.say("MAIL FROM:<ada@client.example>", "250")
client.quit()
END
ok "the log names whom XFORWARD tells of, as Postfix does" soon grep -q \
	'>: client=local, orig_queue_id=4Xyz12, orig_client=spike.example\[2001:db8::7\]$' \
	"$log"
ok "it stops" stop
done_testing
