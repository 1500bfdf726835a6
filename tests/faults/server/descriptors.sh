# The front has no descriptor left.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

conf descriptors <<END
$static_users
END
server_start descriptors
python send "$target" 10:a >/dev/null
front=$(server_processes front)
# Whoever has the front's ids needs no further right for it.
setpriv --reuid=doorstep --regid=doorstep --clear-groups \
	prlimit --pid "$front" --nofile=40:40 ||
	bail_out "cannot take descriptors away"
mkfifo "$TEST_WORK/enough"
python crowd "$target" 100 <"$TEST_WORK/enough" >"$TEST_WORK/crowd.out" 2>&1 &
crowd_pid=$!
exec 8>"$TEST_WORK/enough"
ok "more clients come than there are descriptors" wait_for 20 \
	grep -q tried "$TEST_WORK/crowd.out"
descriptors_before=$(ticks "$front")
sleep 2
descriptors_used=$(($(ticks "$front") - descriptors_before))
is $((descriptors_used < 20)) 1 \
	"the front does not spin then ($descriptors_used hundredths of a second in two)"
like "$(cat "$TEST_WORK/crowd.out")" "greeted [1-9]*421 [1-9]*" \
	"some clients are greeted, others told to come again"
exec 8>&-
wait $crowd_pid
ok "when clients go away the server goes on" wait_for 10 sh -c \
	"python3 '$TEST_SOURCE/tests/faults/server/send.py' '$target' 10:b |
	grep -q 250"
is "$(server_processes front)" "$front" "it is the same front"
is $(($(grep -c 'cannot accept' "$TEST_WORK/log/descriptors.log") <= 3)) 1 \
	"and the log has not been flooded"
server_stop
is $? 0 "the server ends as it should"
