#!/bin/sh
# What a look at the quota costs at RCPT, and in answers of quota-status.
#
#	tests/perf/quota.sh [RECIPIENTS]
#
# One client names one recipient after the other; the table has the median and the
# 99th percentile in microseconds, from the command to the reply, without a quota
# and with each kind that keeps its sum.  Checks only that all were accepted, for
# times of a shared machine prove nothing.
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

count=${1:-${PERF_RUNS:-1000}}
cat >>"$conf" <<END
quota_rule = *:storage=50M:messages=100000
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service quota-status {
  unix_listener quota-status {
    mode = 0666
  }
}
END
for part in new cur tmp; do
	as_user mkdir -p "$home/Maildir/$part"
done
for number in $(seq 1000); do
	: >"$home/Maildir/cur/$number.x,S=4000:2,S"
done
[ "$(id -u)" -ne 0 ] || chown -R "$lmtpd_uid" "$home/Maildir"

measure() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$count" <<'END'
import sys
import time
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
times = []
for _ in range(int(sys.argv[3])):
    client.say("MAIL FROM:<ada@client.example> SIZE=1000", "250")
    began = time.monotonic()
    client.say("RCPT TO:<amy>", "250")
    times.append(time.monotonic() - began)
    client.say("RSET", "250")
client.quit()
times.sort()
print("%8.0f %8.0f" % (times[len(times) // 2] * 1e6,
                       times[len(times) * 99 // 100] * 1e6))
END
}
diag "microseconds          median      99%"
# row NAME OPTION...
row() {
	name=$1
	shift
	start "$@" || bail_out "the server does not start: $name"
	taken=$(measure)
	ok "$name: $count recipients are accepted" test -n "$taken"
	diag "$(printf '%-18s %s' "$name" "$taken")"
	stop
}
row "no quota"
row "maildir" -o lmtp_rcpt_check_quota=yes -o "quota=maildir:User"
# What changed within two seconds is looked at once more.
sleep 3
row "count" -o lmtp_rcpt_check_quota=yes -o "quota=count:User"
row "dict" -o lmtp_rcpt_check_quota=yes -o "quota=dict:User:"

start -o "quota=maildir:User"
python3 "$TEST_SOURCE/tests/lmtpd/policy.py" "$base/quota-status" many 8 \
	"$count" >answered 2>rate
like "$(cat answered)" "8 of 8" "quota-status answers"
diag "quota-status, 8 clients: $(cat rate)"
stop
done_testing
