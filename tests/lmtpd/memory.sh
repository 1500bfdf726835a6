#!/bin/sh
# What the server remembers for scripts: `doorstep status` shows it, and it expires
# though nobody asks for it.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
sieve = ~/script
sendmail_path = $TEST_WORK/bin/sendmail
sieve_vacation_min_period = 1s
END
printf '#!/bin/sh\ncat >/dev/null\n' >bin/sendmail
chmod 755 bin/sendmail
install -m 755 "$TEST_BUILD/ctl/doorstep" bin/doorstep

# deliver ID: one message
deliver() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$1" <<'END'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
lmtp.Client(sys.argv[2]).send_message("ada@client.example", ["amy@example.test"],
    b"From: ada@client.example\r\nTo: amy@example.test\r\n"
    b"Message-ID: <%s@client.example>\r\n\r\nx\r\n" % sys.argv[3].encode())
END
}
# shows PATTERN: a line of the status is like this.
shows() {
	as_user env PATH="$PATH" TZ=UTC LC_ALL=C "$TEST_WORK/bin/doorstep" \
		-c "$conf" status >shown 2>&1
	grep -q "^$1\$" shown
}

ok "the server starts" start
ok "at first nothing is remembered for scripts" soon shows \
	"remembered for scripts: 0 duplicate, 0 vacation, 0 redirect"
cat >"$home/script" <<'END'
require ["duplicate", "vacation", "copy"];
if duplicate :handle "long" :seconds 100000 { keep; }
redirect :copy "bo@example.org";
vacation :days 2 "I am away.";
END
deliver 1
ok "what scripts have seen, answered and redirected is counted" soon shows \
	"remembered for scripts: 1 duplicate, 1 vacation, 1 redirect; the next expires 20.*"
cat >"$home/script" <<'END'
require ["duplicate", "vacation-seconds"];
if duplicate :handle "short" :seconds 1 { keep; }
vacation :handle "short" :seconds 1 "I am away for a second.";
END
deliver 2
ok "also what will expire at once" soon shows \
	"remembered for scripts: 2 duplicate, 2 vacation, 1 redirect; the next expires 20.*"
# For as long as nobody looks it is only in the way of nothing.
stop
ok "the server starts again" start -o state_expire_interval=100ms
ok "what has expired goes, though nobody asks for it" soon shows \
	"remembered for scripts: 1 duplicate, 1 vacation, 1 redirect; the next expires 20.*"
deliver 3
# In a round that is not the first.
ok "again and again" soon shows \
	"remembered for scripts: 1 duplicate, 1 vacation, 1 redirect; the next expires 20.*"
like "$(cat shown)" "*
remembered: * deliveries not confirmed, * under way
*" "deliveries that are not confirmed are shown"
stop
is "$?" 0 "the server ends"
done_testing
