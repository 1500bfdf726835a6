#!/bin/sh
# What the fields of Dovecot's proxies in a user's record do here.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

port=$(python3 -c '
import socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1])')
sed -i '/^userdb {/,/^}/d' "$conf"
cat >>"$conf" <<END
lmtp_proxy = yes
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = $port
  }
}
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
here=:$lmtpd_uid:$lmtpd_uid::$home::
cat >users <<END
amy:$here
maybe:${here}proxy_maybe=y host=127.0.0.1 port=$port
named:${here}proxy_maybe=y host=localhost port=$port userdb_quota_rule=*:storage=1G
any:${here}proxy_maybe=y host=127.0.0.1
lost:${here}proxy_maybe=y host=nowhere.invalid port=$port
shut:::::::nologin=y
moved:::::::nologin=y host=b.example port=24
odd:${here}proxy=y host=b.example port=smtp
nowhere:${here}proxy=y
END
ok "the server starts" start
like "$(send amy)" "250*Saved" "who is not passed on is delivered to"
like "$(send maybe)" "250*Saved" "so is proxy_maybe, where the address is ours"
like "$(send named)" "250*Saved" "and where the name has our address"
like "$(send any)" "250*Saved" "and where the record has no port"
is "$(send shut)" "550 5.3.5 <shut> Login disabled" "nologin is refused"
is "$(send moved)" "550 5.2.900 <moved> moved@b.example:24 Referral" \
	"with a host the refusal names it"
is "$(send odd)" "451 4.3.5 <odd> Temporary internal error" \
	"a field that makes no sense is trouble"
ok "which the log names" grep -q "user odd .*: field port: 'smtp' is not " "$log"
is "$(send nowhere)" "451 4.3.5 <nowhere> Temporary internal error" \
	"so is a proxy without a host"
like "$(send lost)" "451 4.4.0 <lost> Proxy failed (DNS lookup)*" \
	"a name without addresses is trouble"
like "$(send amy)" "250*Saved" "which costs nobody else anything"
is "$(grep -c ' Error: .*b\.example' "$log")" 0 "a referral is no error"
exits 0 "it stops" stop

sed -i 's/^lmtp_proxy = .*/lmtp_proxy = no/' "$conf"
ok "without lmtp_proxy it starts" start
like "$(send odd)" "250*Saved" "nothing of that counts there"
exits 0 "it stops" stop
done_testing
