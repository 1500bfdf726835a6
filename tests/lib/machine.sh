# machine.sh - a machine of its own for a test script
#
#	. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/machine.sh"
#	machine_enter "$@"
#	. "$TEST_SOURCE/tests/lib/tap.sh"
#	machine_begin
#	machine_user amy 61001
#
# machine_enter starts the script again in new mount, process, network, host name
# and IPC namespaces.  So a test may add users, own /etc/postfix, listen on port
# 25 and mount file systems, and nothing of it is seen outside; the network is
# the loopback interface alone.  When the script ends in whatever way, killed or
# not, all processes of the machine end and its mounts are gone.
#
# Needs root; without it the script is skipped as a whole.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

machine_enter() {
	[ -z "${TEST_MACHINE:-}" ] || return 0
	machine_reason=
	if [ "$(id -u)" -ne 0 ]; then
		machine_reason="needs root"
	elif ! machine_said=$(unshare --mount --pid --fork --net --uts --ipc \
		--mount-proc true 2>&1); then
		machine_reason="no namespaces here: $machine_said"
	fi
	if [ -n "$machine_reason" ]; then
		echo "1..0 # SKIP $(printf %s "$machine_reason" | tr '\n' ' ')"
		exit 0
	fi
	TEST_MACHINE=yes exec unshare --mount --pid --kill-child --net --uts \
		--ipc --mount-proc /bin/sh "$0" "$@"
}

# Afterwards $TEST_WORK can be entered by every user, and /etc/passwd and
# /etc/group are private copies.
machine_begin() {
	ip link set lo up || bail_out "no loopback interface"
	hostname mx.example.test
	umask 022
	chmod 755 "$TEST_WORK"
	mkdir "$TEST_WORK/etc" "$TEST_WORK/home" "$TEST_WORK/bin"
	for machine_file in passwd group; do
		cp "/etc/$machine_file" "$TEST_WORK/etc/$machine_file"
		mount --bind "$TEST_WORK/etc/$machine_file" "/etc/$machine_file" ||
			bail_out "cannot mount /etc/$machine_file"
		at_end "umount -l /etc/$machine_file"
	done
}

# machine_user NAME UID [HOME]: a user with a group of the same name and number, in
# place of one that the real machine may have.  HOME is below $TEST_WORK/home
# unless given, belongs to the user and is 0700.
machine_user() {
	machine_home=${3:-$TEST_WORK/home/$1}
	for machine_file in passwd group; do
		# The mounted file itself has to change.  For a moment it is
		# empty, and servers read it: not without need.
		grep -q "^$1:" "/etc/$machine_file" || continue
		grep -v "^$1:" "/etc/$machine_file" >"$TEST_WORK/etc/rest"
		cat "$TEST_WORK/etc/rest" >"/etc/$machine_file"
	done
	echo "$1:x:$2:$2::$machine_home:/bin/sh" >>/etc/passwd
	echo "$1:x:$2:" >>/etc/group
	install -d -m 700 -o "$2" -g "$2" "$machine_home"
}

# machine_program NAME FILE: a copy of FILE as $TEST_WORK/bin/NAME, which every
# user can run wherever the build tree is.
machine_program() {
	install -m 755 "$2" "$TEST_WORK/bin/$1" || bail_out "no $2: run make"
}

# wait_for SECONDS COMMAND...: until it succeeds; looks ten times a second.
wait_for() {
	machine_tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		machine_tries=$((machine_tries - 1))
		[ "$machine_tries" -gt 0 ] || return 1
		sleep 0.1
	done
}
