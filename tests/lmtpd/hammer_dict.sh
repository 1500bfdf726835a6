#!/bin/sh
# The same as hammer.sh, with a count that state keeps and nobody changes behind its
# back: it is right to the byte without being made anew.
#
#	tests/lmtpd/hammer_dict.sh         ROUNDS=2000 BACK_S=1 for a long round
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

rounds=${ROUNDS:-200}
cat >>"$conf" <<END
lmtp_rcpt_check_quota = yes
lmtp_jobs_together = 2
quota = dict:User quota:
quota_rule = *:storage=1G
END
has_answer() {
	case $(send) in
	250*) return 0 ;;
	esac
	return 1
}
count() {
	as_user "$TEST_BUILD/ctl/doorstep" -c "$conf" --json quota get \
		-u amy >told
	python3 -c 'import json; r = json.load(open("told"))[0]["roots"][0]
print(r["bytes"], r["messages"], r["messages_reserved"])'
}

ok "the server starts" start
HAMMER_ONLY_ADDS=yes python3 "$TEST_SOURCE/tests/lmtpd/hammer.py" \
	"$TEST_SOURCE/tests/lib" "$base/lmtp" "$home/Maildir" "$server" \
	"$rounds" >said 2>&1
is "$?" 0 "$rounds deliveries are answered while processes are killed" \
	"$(cat said)"
diag "$(tail -n 1 said)"
ok "the server takes mail as before" soon has_answer
is "$(count)" \
	"$(find "$home/Maildir/new" -type f -printf '%s\n' |
		awk '{ b += $1; n++ } END { print b + 0, n + 0 }') 0" \
	"the count is right, and nothing is reserved any more"
stop
done_testing
