#!/bin/sh
# scripts/suites counts what was run and sees what went wrong.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/lib/tap.sh
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

command -v python3 >/dev/null || skip_all "there is no python3"
mkdir -p top/scripts

# The table is replaced, everything else is the original.
# suite COUNT BUDGET COMMAND: its last lines in $out.
suite() {
	printf '%s\n' "$3" >run.sh
	awk -v row="Suite('build', $2, ['sh', '$PWD/run.sh'], count='$1')" '
		/^SUITES = \[/ { print "SUITES = [" row "]"; skip = 1 }
		skip && /^\]/ { skip = 0; next }
		!skip' "$TEST_SOURCE/scripts/suites" >top/scripts/suites
	out=$(python3 top/scripts/suites 2>&1)
	status=$?
	last=$(printf '%s\n' "$out" | tail -n 1)
}
summary() {
	printf 'Testsuite summary for x\\n'
	printf '# %s:  %s\\n' PASS "$1" SKIP "$2" XFAIL 0 FAIL "$3" \
		XPASS 0 ERROR "$4"
}

suite automake 9 "printf '$(summary 7 2 0 0)'"
is "$status:$last" "0:7 passed, 0 failed" "a good make check is counted"
suite automake 9 "printf '$(summary 7 0 2 1)'; exit 2"
is "$status:$last" "1:7 passed, 3 failed" "failures and errors are counted"
suite automake 9 "printf '# PASS:  7\n# FAIL:  2\n\n$(summary 7 0 2 0)'; exit 2"
is "$status:$last" "1:7 passed, 2 failed" "a verbose log is not counted twice"
suite automake 9 "printf '$(summary 7 0 0 0)'; exit 2"
is "$status:$last" "1:7 passed, 1 failed" "a bad exit status is a failure"
suite automake 9 "printf '$(summary 0 0 0 0)'"
is "$status:$last" "1:0 passed, 1 failed" "no test at all is a failure"
suite automake 9 "true"
is "$status:$last" "1:0 passed, 1 failed" "no summary is a failure"
suite tap 9 'printf "ok 1 - a\nok 2 - b # SKIP c\n1..2\n"'
is "$status:$last" "0:1 passed, 0 failed" "TAP is counted"
like "$out" "*1 skipped*ok 2 - b # SKIP c*" "what was skipped is told"
suite tap 9 'printf "ok 1 - a\nnot ok 2 - b\n1..2\n"; exit 1'
is "$status:$last" "1:1 passed, 1 failed" "TAP's failures are counted"
like "$out" "*not ok 2 - b*repeat with scripts/test build*" \
	"what failed is told"
suite tap 9 'printf "ok 1 - a\n"'
is "$status:$last" "1:1 passed, 1 failed" "a missing plan is a failure"
suite tap 9 'printf "ok 1 - a\n1..2\n"'
is "$status:$last" "1:1 passed, 1 failed" "a missing test is a failure"
suite one 9 "true"
is "$status:$last" "0:1 passed, 0 failed" "a command that works is one test"
suite one 9 "exit 3"
is "$status:$last" "1:0 passed, 1 failed" "a command that fails is one failure"
suite one 9 'kill -9 $$'
like "$out" "*killed by signal 9*0 passed, 1 failed" "a crash is a failure"
suite one 1 'sleep 60 & wait'
like "$out" "*over its budget of 1 s*0 passed, 1 failed" \
	"too slow is a failure"
out=$(python3 top/scripts/suites no-such-suite 2>&1)
like "$?:$out" "1:*no suite no-such-suite*" "an unknown suite is refused"
done_testing
