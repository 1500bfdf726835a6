#!/bin/sh
# quota-status: what Postfix is told.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

sed -i '/^userdb {/,/^}/d' "$conf"
cat >>"$conf" <<END
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
recipient_delimiter = +
quota = maildir:User quota
quota_rule = *:storage=10K
quota_grace = 1K
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service quota-status {
  executable = quota-status -p postfix
  unix_listener quota-status {
    mode = 0666
  }
}
END
echo "amy@example.test::$lmtpd_uid:$lmtpd_uid::$home::" >users
echo "amy::$lmtpd_uid:$lmtpd_uid::$home::" >>users

policy() {
	python3 "$TEST_SOURCE/tests/lmtpd/policy.py" "$base/quota-status" "$@"
}
# at_rcpt ADDRESS SIZE
at_rcpt() {
	policy ask request=smtpd_access_policy protocol_state=RCPT \
		sender=ada@client.example "recipient=$1" "size=$2"
}
# send BYTES
send() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$1" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.begin("ada@client.example", ["amy@example.test"])
client.say("DATA", "354")
client.write(b"Subject: x\r\n\r\n" + b"x\r\n" * (int(sys.argv[3]) // 2))
print(client.say(".")[-1])
client.quit()
END
}
policy_process() {
	"$TEST_BUILD/ctl/doorstep" -c "$conf" status |
		awk '$1 == "policy" { print $2 }'
}
full="action=554 5.2.2 Quota exceeded (mailbox for user is full)"
toobig="action=554 5.2.3 Quota exceeded (mailbox for user is full)"

ok "the server starts" start
is "$(at_rcpt amy@example.test 1000)" action=DUNNO "there is room"
is "$(at_rcpt AMY+lists@example.test 0)" action=DUNNO \
	"an extension, and another case"
is "$(at_rcpt amy@example.test 20000)" "$toobig" \
	"what an empty mailbox would not take"
is "$(at_rcpt nobody@example.test 20000)" action=DUNNO \
	"who is no user may be an alias"
is "$(policy ask protocol_state=END-OF-MESSAGE recipient=amy@example.test \
	size=20000)" "$toobig" "at the end of the message"
is "$(policy ask recipient=amy@example.test size=20000)" "$toobig" \
	"without a state"
is "$(policy ask protocol_state=END-OF-MESSAGE recipient= size=20000 -- \
	protocol_state=DATA recipient=amy@example.test size=20000 -- \
	request=other recipient=amy@example.test size=20000 -- \
	protocol_state=RCPT "recipient=<<" size=20000 -- \
	nonsense)" "action=DUNNO
action=DUNNO
action=DUNNO
action=DUNNO
action=DUNNO" "all else is for others to judge, one after the other"
# Many, in their order.
is "$(policy many 8 ${ROUNDS:-200} 2>rate)" "8 of 8" \
	"pipelined questions are answered in their order"
diag "$(cat rate)"
like "$(send 9000)" "250 *" "mail comes"
is "$(at_rcpt amy@example.test 1700)" action=DUNNO "grace is room"
is "$(at_rcpt amy@example.test 2500)" "$full" "and has an end"
is "$(find "$home/Maildir/new" -type f | wc -l):$(tr -d ' \n' \
	<"$home/Maildir/doorstep-quota" | wc -c)" 1:0 "who asks reserves nothing"
like "$(send 1600)" "250 *" "mail fills the mailbox"
is "$(at_rcpt amy+x@example.test 0)" "$full" "no size is one byte"

# Others may have to do with a restart.
kill -9 "$(policy_process)"
ok "after a crash there is another one" soon at_rcpt amy@example.test 0
is "$(at_rcpt amy@example.test 0)" "$full" "that says the same"
is "$(policy flood 200000)" 0 "a request without an end is cut off"
is "$(at_rcpt amy@example.test 0)" "$full" "and harms nobody"

kill -HUP "$server"
ok "a reload" soon grep -q "generation=2" "$base/status"
is "$(at_rcpt amy@example.test 0)" "$full" "asks the new one"
stop
is "$(grep -c ' Error: ' "$log")" 1 "the crash is the only error" \
	"$(grep ' Error: ' "$log")"

rm -f "$log"
ok "the server starts with other answers" start \
	-o quota_status_success="OK fine" -o quota_status_nouser="REJECT who" \
	-o quota_status_overquota="452 4.2.2 later" \
	-o quota_status_toolarge="REJECT huge" -o quota_full_tempfail=yes
is "$(at_rcpt nobody@example.test 0)" "action=REJECT who" quota_status_nouser
is "$(at_rcpt amy@example.test 0)" "action=452 4.2.2 later" \
	quota_status_overquota
is "$(at_rcpt amy@example.test 20000)" "action=REJECT huge" \
	quota_status_toolarge
as_user rm -r "$home/Maildir"
is "$(at_rcpt amy@example.test 0)" "action=OK fine" quota_status_success
as_user mkdir -p "$home/Maildir/doorstep-quota"
like "$(at_rcpt amy@example.test 0)" "action=DEFER_IF_PERMIT *" \
	"what cannot be told is put off"
stop
ok "the server starts, open where it cannot tell" start \
	-o quota_status_failure=DUNNO
is "$(at_rcpt amy@example.test 0)" action=DUNNO quota_status_failure
stop
done_testing
