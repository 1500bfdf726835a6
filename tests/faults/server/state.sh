# No space for the memory of deliveries.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

small_disk "$TEST_WORK/state-state" mode=0700,uid=61081,gid=61081,size=64m
conf state <<END
$static_users
END
server_start state
state_pid=$(server_processes state)

# twice USER: the same message two times, as after a lost reply.
twice() {
	python flood "$target" 1 "$1" >/dev/null
	python flood "$target" 1 "$1" >/dev/null
	stored "$1"
}
is "$(twice before)" 1 "with space in state_dir a retry is recognised"
fill "$TEST_WORK/state-state"
is "$(python flood "$target" 200 full)" "250 200" \
	"deliveries go on when state_dir is full"
is "$(stored full)" 200 "all of them are there"
is "$(twice full-twice)" 2 "a retry is not recognised then"
like "$(cat "$TEST_WORK/log/state.log")" "*cannot be remembered at present*" \
	"and the log warns of it"
rm "$TEST_WORK/state-state/filler"
state_recovers() {
	state_round=$((${state_round:-0} + 1))
	[ "$(twice "after-$state_round")" = 1 ]
}
ok "with space again retries are recognised again" wait_for 10 state_recovers
is "$(server_processes state)" "$state_pid" "state is the process that it was"
is "$(($(wc -l <"$TEST_WORK/log/state.log") < 1000))" 1 \
	"the log has not been flooded"
server_stop
is $? 0 "the server ends as it should"
