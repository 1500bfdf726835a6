#!/bin/sh
# The processes of the server: each comes back, and all end with master.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

ok "the server starts" start
for kind in front lookup state; do
	ok "it has a $kind process" process $kind
done
like "$(send)" "250 2.0.0 <amy> * Saved" "a message is delivered"
ok "then there is a worker" process worker
is "$(find "$home/Maildir/new" -type f | wc -l)" 1 "it is in the mailbox"

for kind in front lookup state worker; do
	killed=$(process $kind)
	kill -9 "$killed"
	[ $kind = worker ] || ok "a $kind that was killed comes back" \
		soon is_new $kind "$killed"
	ok "after a $kind was killed mail is delivered" soon has_saved
done
like "$(cat "$log")" "*worker process*was killed by signal 9*" \
	"the log tells of a process that was killed"

# Descriptors and environment of children.
worker=$(process worker)
if [ -r "/proc/$worker/environ" ]; then
	is "$(tr '\0' '\n' <"/proc/$worker/environ" |
		grep -cvE '^(PATH|TZ|LANG|LC_[A-Z]*|[A-Z]*SAN_OPTIONS)=')" 0 \
		"a worker gets nothing of our environment"
else
	skip "a worker gets nothing of our environment" "no /proc"
fi

children=$(pgrep -P "$server")
kill -9 "$server"
wait "$server"
for child in $children; do
	soon has_ended "$child" || fail "process $child outlives its master"
done
pass "all processes end when master is killed"

ok "a server starts where one was killed" start -o lookup_timeout=1s
hanging=$(process lookup)
kill -STOP "$hanging"
is "$(send)" "451 4.3.0 <amy> Temporary internal error" \
	"a lookup that hangs is a temporary failure after lookup_timeout"
ok "and is replaced" soon is_new lookup "$hanging"
ok "then mail is delivered" soon has_saved
is "$(as_user "$program" -F -c "$conf" 2>&1 | grep -c "another server")" 1 \
	"a second server says that there is one"
as_user "$program" -F -c "$conf" >/dev/null 2>&1
is $? 78 "and exits 78"
ok "which harms the first one in no way" has_saved

exits 0 "SIGTERM ends it with exit 0" stop
is "$(pgrep -f "$program" | wc -l)" 0 "no process stays"
is "$(find "$base" -type s | wc -l)" 0 "no socket stays"

# What does not end by itself.
start -o shutdown_timeout=1s
kill -STOP "$(process state)"
exits 0 "after shutdown_timeout it ends whatever hangs" stop
start
kill -STOP "$(process state)"
kill -TERM "$server"
soon has_state draining
exits 0 "a second SIGTERM ends it at once" stop
done_testing
