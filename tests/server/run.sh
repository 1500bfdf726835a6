#!/bin/sh
# The whole server: its processes, what a client sees of it, and what happens when
# something dies.
#
#	tests/server/run.sh [CASE...]
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh).  CASE is a file
# of cases/ without .sh.  ROUNDS=full makes the long runs: 1,000 cut connections,
# 200 killed processes; MINUTES=15 a long campaign.  DOORSTEP_LMTPD names another program to test.
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
machine_user doorstepm 61082
machine_user vmail 61090
machine_user amy 61091
machine_user bob 61092
# Ten thousand connections need as many descriptors.
prlimit --pid $$ --nofile=20000:20000 ||
	bail_out "no room for ten thousand connections"

# python NAME ARGUMENTS...: a program of this folder.  The cases call it.
# shellcheck disable=SC2317
python() {
	python_name=$1
	shift
	python3 "$TEST_SOURCE/tests/server/$python_name.py" "$@"
}

# Of a program built with sanitizers the reports of all processes are kept, whoever
# they run as.  Such a program is slow, and its memory says nothing: a part of the
# cases is enough.
sanitizer=
all='modes confined evil others users programs limits attack campaign systemd crash check clients session spool ahead reload rotate stop retry seen kill hang hanging socket again together crowd proxy farm'
if grep -q __asan_init "$lmtpd"; then
	sanitizer=$TEST_WORK/sanitizer
	mkdir -m 1777 "$sanitizer"
	chmod 1777 "$sanitizer"
	ASAN_OPTIONS=log_path=$sanitizer/report
	UBSAN_OPTIONS=log_path=$sanitizer/report:print_stacktrace=1
	export ASAN_OPTIONS UBSAN_OPTIONS
	all='modes campaign users clients reload stop retry seen kill together proxy'
fi

cases=${*:-$all}
for case in $cases; do
	# shellcheck source=/dev/null # whichever was asked for
	. "$TEST_SOURCE/tests/server/cases/$case.sh"
done
if [ -n "$sanitizer" ]; then
	is "$(find "$sanitizer" -type f -exec head -n 40 {} +)" "" \
		"no sanitizer has found anything in any process"
fi
done_testing
