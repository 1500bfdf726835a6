#!/bin/sh
# One delivery, and everything that can go wrong in it.
#
#	tests/faults/run.sh [CASE...]
#
# What must hold after every fault: exit status 0 means that each copy the script
# asked for is there, whole and flushed to disk; any other status means that no
# copy can be seen.  A copy is never partial, and delivering again works.
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh) and strace.
# CASE is a file of cases/ without .sh.  DOORSTEP_LDA names another program.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/faults/fault.sh"

for program in strace prlimit setpriv; do
	command -v $program >/dev/null || skip_all "no $program here"
done

machine_begin
machine_program doorstep-lda \
	"${DOORSTEP_LDA:-$TEST_BUILD/lda/doorstep-lda}"
machine_program oneshot "$TEST_BUILD/tests/perf/oneshot"
fault_begin

cases=${*:-order kill seen error disk limits hostile home crowd}
for case in $cases; do
	# shellcheck source=/dev/null # whichever was asked for
	. "$TEST_SOURCE/tests/faults/cases/$case.sh"
done
done_testing
