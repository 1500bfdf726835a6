# kill -9 of each kind of process, while mail comes in.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

if [ "${ROUNDS:-}" = full ]; then kill_rounds=200; else kill_rounds=32; fi
kill_pause=0.25

server_conf kill <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
rm -rf "$TEST_WORK"/home/vmail/*
server_start kill
kill_pids=
for kill_seed in 1 2 3 4; do
	python load "$TEST_WORK/run-kill/lmtp" \
		"$(echo "$kill_rounds $kill_pause" | awk '{print $1 * $2 * 1.1 + 1}')" \
		"$kill_seed" "k$kill_seed-a" "k$kill_seed-b" \
		>"$TEST_WORK/killed-$kill_seed" \
		2>"$TEST_WORK/kill-errors-$kill_seed" &
	kill_pids="$kill_pids $!"
done
kill_round=0
kill_done=0
while [ $kill_round -lt $kill_rounds ]; do
	kill_round=$((kill_round + 1))
	case $((kill_round % 4)) in
	0) kill_kind=front ;;
	1) kill_kind=worker ;;
	2) kill_kind=state ;;
	3) kill_kind=lookup ;;
	esac
	kill_victim=$(server_processes "$kill_kind" | head -n 1)
	[ -n "$kill_victim" ] && kill -9 "$kill_victim" &&
		kill_done=$((kill_done + 1))
	sleep $kill_pause
done
# shellcheck disable=SC2086
wait $kill_pids
diag "$(cat "$TEST_WORK"/kill-errors-*)"
is "$(grep -v 'longest wait' "$TEST_WORK"/kill-errors-*)" "" \
	"clients have seen nothing but temporary trouble"
is $((kill_done * 10 >= kill_rounds * 8)) 1 \
	"most of the $kill_rounds kills found their victim: $kill_done"
is "$(python stored "$TEST_WORK/home/vmail" "$TEST_WORK"/killed-* | head)" \
	"" "each message that was answered is there exactly once"
is "$(awk '{ if ($(NF - 1) + 0 > 3) print }' "$TEST_WORK"/kill-errors-*)" "" \
	"no client had to wait for long"
is "$(python deliver "$TEST_WORK/run-kill/lmtp" after)" "after 250" \
	"afterwards the server is whole"
server_stop
is $? 0 "and ends as it should"

# The master itself, and another one at once in its place, as a service manager
# does it.
if [ "${ROUNDS:-}" = full ]; then kill_rounds=20; else kill_rounds=4; fi
rm -rf "$TEST_WORK"/home/vmail/*
server_start kill
kill_pids=
for kill_seed in 1 2 3 4; do
	python load "$TEST_WORK/run-kill/lmtp" $((kill_rounds + 1)) \
		"$kill_seed" "m$kill_seed-a" "m$kill_seed-b" \
		>"$TEST_WORK/orphaned-$kill_seed" \
		2>"$TEST_WORK/orphan-errors-$kill_seed" &
	kill_pids="$kill_pids $!"
done
kill_round=0
while [ $kill_round -lt $kill_rounds ]; do
	kill_round=$((kill_round + 1))
	sleep 0.5
	kill -9 "$server_pid"
	wait "$server_pid" 2>/dev/null
	server_start kill
done
# shellcheck disable=SC2086
wait $kill_pids
diag "$(cat "$TEST_WORK"/orphan-errors-*)"
is "$(grep -v 'longest wait' "$TEST_WORK"/orphan-errors-*)" "" \
	"when master is killed clients see nothing but temporary trouble"
is "$(python stored "$TEST_WORK/home/vmail" "$TEST_WORK"/orphaned-* | head)" \
	"" "each message that was answered is there exactly once"
is "$(python deliver "$TEST_WORK/run-kill/lmtp" after)" "after 250" \
	"a new master takes over from one that was killed"
server_stop
is $? 0 "and ends as it should"
