#!/bin/sh
# The whole server, and what goes wrong around it: full disks, descriptors that run
# out, files that vanish, clients that go away, and clients that want too much.
#
#	tests/faults/server.sh [CASE...]
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh).  CASE is a file
# of server/ without .sh.  DOORSTEP_LMTPD names another program to test.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"

for program in python3 setpriv pgrep prlimit; do
	command -v $program >/dev/null || skip_all "no $program here"
done

machine_begin
machine_user doorstep 61080
machine_user doorstepd 61081
machine_user vmail 61090

# conf NAME [LINES]: every address is a user of vmail's; further settings are read
# from standard input.  The cases call what follows.
# shellcheck disable=SC2317,SC2034
conf() {
	server_conf "$1" <<END
mail_home = $TEST_WORK/home/vmail/$1/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
$(cat)
END
	target=$TEST_WORK/run-$1/lmtp
	mails=$TEST_WORK/home/vmail/$1
}

# shellcheck disable=SC2034 # for the cases
static_users='userdb {
  driver = static
  args = allow_all_users=yes
}'

# python NAME ARGUMENTS...: a program of this folder.
# shellcheck disable=SC2317
python() {
	python_name=$1
	shift
	python3 "$TEST_SOURCE/tests/faults/server/$python_name.py" "$@"
}

# small_disk FOLDER OPTIONS
# shellcheck disable=SC2317
small_disk() {
	mkdir -p "$1"
	mount -t tmpfs -o "$2" none "$1" || bail_out "cannot mount a small disk"
	at_end "umount -l $1"
}

# fill FOLDER: no byte is left.
# shellcheck disable=SC2317
fill() {
	dd if=/dev/zero of="$1/filler" bs=4k status=none 2>/dev/null
}

# stored USER: the messages that a reader can see.
# shellcheck disable=SC2317
stored() {
	find "$mails/$1" -path '*/new/*' -type f 2>/dev/null | wc -l
}

# ticks PID: processor time that it has used, in hundredths of a second.
# shellcheck disable=SC2317
ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

cases=${*:-spool disk state descriptors users log cut large}
for case in $cases; do
	# shellcheck source=/dev/null # whichever was asked for
	. "$TEST_SOURCE/tests/faults/server/$case.sh"
done
done_testing
