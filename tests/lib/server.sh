# server.sh - a doorstep-lmtpd of the test's own
#
#	server_conf NAME <LINES     NAME.conf, with what every test's needs
#	server_start NAME [USER]    wait until it answers; as root, or as USER
#	server_stop
#	server_errors NAME          lines of its log that tell of errors
#	server_deaths NAME          those that tell of a process that broke
#
# base_dir is $TEST_WORK/run-NAME, with the socket lmtp in it; the log is
# $TEST_WORK/log/NAME.log.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

lmtpd=${DOORSTEP_LMTPD:-$TEST_BUILD/lmtp/doorstep-lmtpd}
doorstep=$TEST_BUILD/ctl/doorstep

server_conf() {
	mkdir -p "$TEST_WORK/log"
	{
		cat <<END
hostname = mx.example.test
base_dir = $TEST_WORK/run-$1
state_dir = $TEST_WORK/state-$1
log_path = $TEST_WORK/log/$1.log
protocols = lmtp
END
		cat
	} >"$TEST_WORK/$1.conf"
}

server_start() {
	chmod 1777 "$TEST_WORK/log"
	if [ -n "${2:-}" ]; then
		install -d -o "$2" "$TEST_WORK/run-$1" "$TEST_WORK/state-$1"
		setpriv --reuid="$2" --regid="$2" --init-groups \
			"$lmtpd" -F -c "$TEST_WORK/$1.conf" \
			>"$TEST_WORK/log/$1-out" 2>&1 &
	else
		"$lmtpd" -F -c "$TEST_WORK/$1.conf" \
			>"$TEST_WORK/log/$1-out" 2>&1 &
	fi
	server_pid=$!
	at_end "kill -9 $server_pid 2>/dev/null"
	if wait_for 20 "$doorstep" -c "$TEST_WORK/$1.conf" status; then
		return 0
	fi
	diag "$(tail -n 20 "$TEST_WORK/log/$1-out" "$TEST_WORK/log/$1.log" 2>&1)"
	bail_out "doorstep-lmtpd does not start"
}

# Its exit status.
server_stop() {
	kill "$server_pid"
	wait "$server_pid"
}

# server_processes KIND: process ids of the running server.
server_processes() {
	pgrep -P "$server_pid" -f -- "--child=$1"
}

# Session ids are random letters: a pattern here has a blank or a sign in it.
server_errors() {
	grep -h ' Error: ' "$TEST_WORK/log/$1.log"
}

server_deaths() {
	grep -hE ' process [0-9]+ (was killed by|ended with|did not) |bug at ' \
		"$TEST_WORK/log/$1.log" "$TEST_WORK/log/$1-out"
}
