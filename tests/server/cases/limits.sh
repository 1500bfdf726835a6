# What seldom happens: more users than workers, a worker that hangs, a start that
# nobody should make, and the server as the first process of a machine.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

# ---- more identities than workers

: >"$TEST_WORK/users"
for limits_n in 1 2 3 4 5 6; do
	limits_uid=$((61100 + limits_n))
	install -d -m 700 -o $limits_uid -g $limits_uid \
		"$TEST_WORK/home/limits$limits_n"
	echo "u$limits_n::$limits_uid:$limits_uid::$TEST_WORK/home/limits$limits_n::" \
		>>"$TEST_WORK/users"
done
server_conf limits <<END
mail_location = maildir:~/Maildir
lmtp_delivery_timeout = 1 secs
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
service lmtp {
  process_limit = 2
  unix_listener lmtp {
    mode = 0666
  }
}
END
server_start limits
limits_target=$TEST_WORK/run-limits/lmtp
(
	while :; do
		server_processes worker | wc -l
		sleep 0.02
	done
) >"$TEST_WORK/limits-counts" 2>/dev/null &
limits_counter=$!
limits_pids=
for limits_n in 1 2 3 4 5 6; do
	(
		for _ in 1 2 3; do
			python deliver "$limits_target" "u$limits_n"
		done
	) >"$TEST_WORK/limits-$limits_n" 2>&1 &
	limits_pids="$limits_pids $!"
done
# shellcheck disable=SC2086
wait $limits_pids
kill $limits_counter
is "$(cat "$TEST_WORK"/limits-[1-6] | grep -c ' 250$')" 18 \
	"six users have their mail by two workers"
is "$(sort -n "$TEST_WORK/limits-counts" | tail -n 1 |
	awk '{ print ($1 <= 2) }')" 1 "there were never more than process_limit"
is "$(for limits_n in 1 2 3 4 5 6; do
	stat -c %u "$TEST_WORK/home/limits$limits_n/Maildir/new"/*
done | sort | uniq -c | awk '{ print $1, $2 }')" "3 61101
3 61102
3 61103
3 61104
3 61105
3 61106" "each by one of its own uid"

# ---- a worker that hangs

python deliver "$limits_target" u1 >/dev/null
limits_worker=$(pgrep -P "$server_pid" -n -f -- --child=worker)
limits_user=u$(($(stat -c %u "/proc/$limits_worker") - 61100))
kill -STOP "$limits_worker"
python deliver "$limits_target" $limits_user >"$TEST_WORK/limits.out"
is "$(cat "$TEST_WORK/limits.out")" "$limits_user 451" \
	"a delivery that hangs is a temporary failure after its time"
ok "and half a minute later its worker is killed" \
	wait_for 40 test ! -d "/proc/$limits_worker"
like "$(cat "$TEST_WORK/log/limits.log")" \
	"*worker process $limits_worker did not end its job in time*" \
	"as the log says"
is "$(python deliver "$limits_target" $limits_user)" "$limits_user 250" \
	"and its user has mail again"
server_stop
is $? 0 "the server ends as it should"

# ---- a user's server and somebody else's record

server_conf limits-user <<END
mail_location = maildir:~/Maildir
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
server_start limits-user vmail
is "$(python deliver "$TEST_WORK/run-limits-user/lmtp" u1)" "u1 451" \
	"a server of one user has no mail for another one"
like "$(cat "$TEST_WORK/log/limits-user.log")" \
	"*user u1 has uid 61101, but this server runs as uid 61090*start it as \
root*" "and the log says what to do"
server_stop
is $? 0 "it ends as it should"

# ---- setuid

install -m 4755 -o root "$lmtpd" "$TEST_WORK/bin/lent"
setpriv --reuid=amy --regid=amy --init-groups "$TEST_WORK/bin/lent" --stdio \
	-c "$TEST_WORK/limits.conf" </dev/null >"$TEST_WORK/lent.out" 2>&1
is $? 77 "a setuid program refuses to run"
like "$(cat "$TEST_WORK/lent.out")" "*refusing to run setuid*" "and says so"

# ---- process 1

server_conf first <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
unshare --pid --fork --mount-proc --kill-child "$lmtpd" \
	-c "$TEST_WORK/first.conf" >"$TEST_WORK/log/first-out" 2>&1 &
limits_unshare=$!
at_end "kill -9 $limits_unshare 2>/dev/null"
ok "as process 1 it stays in the foreground and runs" wait_for 20 \
	"$doorstep" -c "$TEST_WORK/first.conf" status
server_pid=$(pgrep -P $limits_unshare)
is "$(python deliver "$TEST_WORK/run-first/lmtp" first)" "first 250" \
	"and delivers"
# A process that loses its parent becomes a child of the first one.
nsenter --target "$server_pid" --pid sh -c 'sleep 0.2 & exit 0'
limits_orphans() {
	pgrep -P "$server_pid" -x sleep
}
ok "it takes orphans" wait_for 5 limits_orphans
limits_no_zombies() {
	[ -z "$(limits_orphans)" ]
}
ok "and waits for them when they end" wait_for 5 limits_no_zombies
# Its number in the file is 1: that is somebody else for us.
"$doorstep" -c "$TEST_WORK/first.conf" stop >"$TEST_WORK/limits.out" 2>&1
is "$? $(grep -c 'another PID namespace' "$TEST_WORK/limits.out")" "75 1" \
	"doorstep stop from another PID namespace is refused"
is "$(nsenter --target "$server_pid" --pid --mount \
	"$doorstep" -c "$TEST_WORK/first.conf" reload)" \
	"reloaded, generation 2" "from its own one it is heard"
kill -TERM "$server_pid"
wait $limits_unshare
is $? 0 "SIGTERM ends it"
like "$(cat "$TEST_WORK/log/first.log")" "*Stopping*" "with a line in the log"
