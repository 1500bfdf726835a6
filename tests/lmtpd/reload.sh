#!/bin/sh
# SIGHUP: a new generation takes over, or the old one stays.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

has_reloaded() {
	grep -q "^reloads=$1\$" "$base/status"
}
ok "the server starts" start
front=$(process front)
kill -HUP "$server"
ok "a reload ends" soon has_reloaded 1
ok "it has brought another front" soon is_new front "$front"
ok "the old front ends" soon has_ended "$front"
ok "mail is delivered" has_saved

front=$(process front)
cp "$conf" good
echo "mail_fsync = sometimes" >>"$conf"
kill -HUP "$server"
ok "a reload of a wrong configuration ends" soon has_reloaded 2
is "$(process front)" "$front" "the old front stays"
like "$(cat "$log")" "*doorstep.conf:10:*mail_fsync*" \
	"the log says what is wrong, and where"
like "$(cat "$base/status")" "*error=*wrong*" "the status file says so, too"
ok "mail is delivered by the old one" has_saved

cp good "$conf"
sed -i 's/driver = static/driver = nonsense/' "$conf"
kill -HUP "$server"
ok "a reload that brings no process up ends" soon has_reloaded 3
is "$(process front)" "$front" "the old front stays then, too"
ok "mail is still delivered" has_saved

cp good "$conf"
kill -HUP "$server"
ok "a good configuration is taken after that" soon has_reloaded 4
ok "mail is delivered by the new one" has_saved
exits 0 "SIGTERM ends it with exit 0" stop
done_testing
