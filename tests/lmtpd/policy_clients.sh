#!/bin/sh
# quota-status: who may ask, and that nobody is in another's way.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

port=$(FREE_PORT=1 python3 "$TEST_SOURCE/tests/lmtpd/tls.py")
as_user mkdir -p "$home/amy/Maildir/new" "$home/bob/Maildir/new"
sed -i '/^userdb {/,/^}/d' "$conf"
cat >>"$conf" <<END
userdb {
  driver = static
  args = uid=$lmtpd_uid gid=$lmtpd_uid home=$home/%u allow_all_users=yes
}
quota_status_timeout = 1s
quota = maildir:User quota
quota_rule = *:storage=10K
service quota-status {
  unix_listener quota-status {
    mode = 0666
  }
  unix_listener mine {
    mode = 0666
    peer_users = 61031
  }
  inet_listener tcp {
    address = 127.0.0.1
    port = $port
  }
}
END
# as UID TARGET WHAT...
as() {
	CLIENT_UID=$1
	export CLIENT_UID
	shift
	python3 "$TEST_SOURCE/tests/lmtpd/policy_clients.py" "$@"
}
clients() {
	as "$lmtpd_uid" "$@"
}

ok "the server starts" start
is "$(clients "127.0.0.1:$port" one amy)" action=DUNNO "it is asked by TCP"
if [ "$(id -u)" -eq 0 ]; then
	is "$(as 61031 "$base/mine" one amy)" action=DUNNO \
		"a user of peer_users may ask"
	is "$(as 61032 "$base/mine" one amy)" closed "another one may not"
	is "$(as 0 "$base/mine" one amy)" action=DUNNO "root may"
else
	for name in "a user of peer_users" "another one" root; do
		skip "$name may ask or not" "only root can be several users"
	done
fi
like "$(as 0 "$base/quota-status" many amy "${CLIENTS:-1500}")" \
	"${CLIENTS:-1500} {'action=DUNNO'}" \
	"more than a thousand are connected at a time, and all are answered"
is "$(clients "$base/quota-status" pieces amy)" "action=DUNNO
action=DUNNO
b''" "a request comes byte by byte, another one in halves, one never ends"
as_user touch "$home/amy/Maildir/doorstep-quota"
is "$(clients "$base/quota-status" slow "$home/amy/Maildir/doorstep-quota" \
	amy bob 100)" "{'action=DUNNO'}
{'action=DEFER_IF_PERMIT Mailbox is temporarily unavailable'}
action=DUNNO" "a slow look at one user's mailbox is in nobody else's way"
stop

ok "the server starts for other networks" start \
	-o quota_status_allowed_networks="192.0.2.0/24 2001:db8::/32" \
	-o quota_status_idle_timeout=200ms
is "$(clients "127.0.0.1:$port" one amy)" closed "who is in none is turned away"
like "$(cat "$log")" "*127.0.0.1:$port: refused: not in quota_status_allowed_networks*" \
	"which is in the log"
is "$(clients "$base/quota-status" silent amy)" "b'' b''" \
	"a client that says nothing is not waited for, nor one in half a request"
stop
done_testing
