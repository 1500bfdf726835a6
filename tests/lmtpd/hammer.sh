#!/bin/sh
# Workers and state are killed while many deliver to one user with a quota.
#
#	tests/lmtpd/hammer.sh         ROUNDS=2000 BACK_S=1 for a long round
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

rounds=${ROUNDS:-200}
cat >>"$conf" <<END
lmtp_rcpt_check_quota = yes
lmtp_jobs_together = 2
quota = maildir:User quota
quota_rule = *:storage=60K
quota_grace = 2K
END
has_answer() {
	case $(send) in
	250* | 552* | 452*) return 0 ;;
	esac
	return 1
}
doorstep() {
	as_user "$TEST_BUILD/ctl/doorstep" -c "$conf" "$@"
}

ok "the server starts" start
python3 "$TEST_SOURCE/tests/lmtpd/hammer.py" "$TEST_SOURCE/tests/lib" \
	"$base/lmtp" "$home/Maildir" "$server" "$rounds" >said 2>&1
is "$?" 0 "$rounds deliveries are answered while processes are killed" \
	"$(cat said)"
diag "$(tail -n 1 said)"
ok "the server takes mail as before" soon has_answer
# What died last is found by whoever looks next.
doorstep --json quota get -u amy >told
is "$(python3 -c 'import json; r = json.load(open("told"))[0]["roots"][0]
print(r["bytes"], r["messages"], r["messages_reserved"])')" \
	"$(find "$home/Maildir/new" -type f -printf '%s\n' |
		awk '{ b += $1; n++ } END { print b + 0, n + 0 }') 0" \
	"the count is right, and nothing is reserved any more"
is "$(find "$home/Maildir/new" -type f -printf '%s\n' |
	awk '{ b += $1 } END { print (b <= 63488) ? "yes" : b }')" yes \
	"the limit was passed by one grace at most"
# What was promised at RCPT went back, whoever died.
is_settled() {
	case $(send) in
	250* | 552*) return 0 ;;
	esac
	return 1
}
ok "nothing is in the way of mail" soon is_settled
stop
done_testing
