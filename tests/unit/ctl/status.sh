#!/bin/sh
# doorstep status, reload and stop, with something that looks like a server.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(dirname "$0")/../../..}
. "$TEST_SOURCE/tests/lib/tap.sh"

doorstep=$TEST_BUILD/ctl/doorstep
fake=$TEST_BUILD/tests/unit/ctl/fake_server
TZ=UTC
export TZ

# run COMMAND...: its standard output in "out", its status in $status.
run() {
	"$@" >out 2>err
	status=$?
}

# serve BEHAVIOUR: a server that can be asked when this returns; $server is its id.
serve() {
	: >ready
	"$fake" "$PWD/run" "$1" >ready &
	server=$!
	tries=0
	until grep -q ready ready || [ $tries -ge 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}

mkdir run
echo "base_dir = $PWD/run" >conf

for command in status reload stop; do
	run "$doorstep" -c conf "$command"
	is "$status $(cat err)" \
		"75 doorstep: no server runs with base_dir $PWD/run" \
		"$command says that no server runs"
done

serve good
run "$doorstep" -c conf status
is "$status" 0 "status of a running server succeeds"
is "$(cat out)" "Doorstep 9.9 is running, process 4242, since 2026-10-30 21:39:18, generation 1
isolation: none by user; all processes are uid 1000, as the server was not started as root
connections 7
listens on /run/doorstep/lmtp
remembered: 3 deliveries not confirmed, 1 under way
remembered for scripts: 2 duplicate, 3 vacation, 4 redirect; the next expires 2026-10-30 21:39:18
KIND          PID      UID STATE      GENERATION       JOBS  SINCE                CONFINED BY
state        4710      998 running             0          0  2026-10-30 21:39:18
worker       4711     1000 idle                1         12  2026-10-30 21:39:18  Landlock, seccomp" \
	"status shows the server, what it listens on, and its processes"
run "$doorstep" -c conf --json status
is "$status $(grep -c '"pid":4711' out)" "0 1" "--json gives all of it"
run "$doorstep" -c conf status more
is "$status" 64 "status takes no argument"

run "$doorstep" -c conf reload
is "$status $(cat out)" "0 reloaded, generation 2" \
	"reload waits for the new generation"
run "$doorstep" -c conf --json reload
is "$status $(cat out)" '0 {"reloaded":true,"generation":3}' "also for programs"
echo "lmtp_idle_timeout = soon" >>conf
run "$doorstep" -c conf reload
is "$status" 78 "a wrong configuration is not sent to the server"
is "$(cut -d: -f1-3 err)" "conf:2: error" "its fault is named"
is "$(sed -n 's/^generation=//p' run/status)" 3 "the server heard nothing of it"
echo "base_dir = $PWD/run" >conf

run "$doorstep" -c conf stop
is "$status $(cat out)" "0 stopped" "stop waits for the end"
wait $server
is $? 0 "the server has ended by itself"

serve bad
run "$doorstep" -c conf reload
is "$status $(cat err)" \
	"1 doorstep: the server goes on as before: port 24 is taken" \
	"a reload that fails says why"
run "$doorstep" -c conf --json reload
is "$status $(cat out)" \
	'1 {"reloaded":false,"generation":1,"error":"port 24 is taken"}' \
	"also for programs"
run "$doorstep" -c conf status
is "$(grep reload out)" "the last reload failed: port 24 is taken" \
	"status remembers it"
run "$doorstep" -c conf stop
wait $server

# The number of the file is another process's here, as it is when the server runs
# in a container and base_dir is shared.
serve good
sleep 60 &
other=$!
echo $other >run/master.pid
for command in stop reload; do
	run "$doorstep" -c conf "$command"
	is "$status $(grep -c "process $other is not .*another PID namespace" err)" \
		"75 1" "$command refuses a number that is not the server's"
done
ok "that process got no signal" kill -0 $other
kill $other
wait $other
echo $server >run/master.pid
mv run/control run/away
run "$doorstep" -c conf stop
is "$status $(grep -c 'nothing was signalled' err)" "75 1" \
	"a server that cannot be asked is not signalled"
mv run/away run/control
run "$doorstep" -c conf top --json --times=2 --every=1
is "$status $(grep -c '"pid":4711' out)" "0 2" \
	"top --json is the whole status each time"
run "$doorstep" -c conf --json stop
is "$status $(cat out)" '0 {"stopped":true}' "by its own number it is stopped"
wait $server

done_testing
