# kill -9 of one kind of process, again and again: it is back within a second.
# Each kind has a server and a client of its own, all at the same time.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

again_kinds="front lookup state worker"
again_rounds=8
again_pause=1.3

# again_kill KIND PID: kills it in each round, in the server with this pid.
again_kill() {
	again_round=0
	while [ $again_round -lt $again_rounds ]; do
		again_round=$((again_round + 1))
		sleep $again_pause
		again_victim=$(pgrep -P "$2" -f -- "--child=$1" | head -n 1)
		if [ -n "$again_victim" ]; then kill -9 "$again_victim"; fi
	done
}

again_wait() {
	awk '/longest wait/ { print $(NF - 1) }' "$TEST_WORK/again-errors-$1"
}

rm -rf "$TEST_WORK"/home/vmail/*
again_clients=
for again_kind in $again_kinds; do
	server_conf "again-$again_kind" <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
	server_start "again-$again_kind"
	again_servers="${again_servers:-} $server_pid"
	python load "$TEST_WORK/run-again-$again_kind/lmtp" \
		"$(echo "$again_rounds $again_pause" |
			awk '{print $1 * $2 + 1.5}')" \
		1 "again-$again_kind" >"$TEST_WORK/again-$again_kind" \
		2>"$TEST_WORK/again-errors-$again_kind" &
	again_clients="$again_clients $!"
	again_kill "$again_kind" "$server_pid" &
	again_clients="$again_clients $!"
done
# shellcheck disable=SC2086
wait $again_clients
for again_kind in $again_kinds; do
	diag "$again_kind: $(cat "$TEST_WORK/again-errors-$again_kind")"
	is "$(grep -c 'killed by signal 9' \
		"$TEST_WORK/log/again-$again_kind.log")" $again_rounds \
		"each of $again_rounds kills of $again_kind found its victim"
	is "$(again_wait "$again_kind" | awk '{ print ($1 < 1) }')" 1 \
		"each time $again_kind was back within a second"
done
for server_pid in $again_servers; do
	server_stop
	is $? 0 "and the server ends as it should"
done
