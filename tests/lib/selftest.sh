#!/bin/sh
# The test library itself: a check that fails has to be seen.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

program=$TEST_BUILD/tests/lib/selftest
mkdir tmp

# run WORD: that test's output in $out, exit status in $status.
run() {
	out=$(TMPDIR=$TEST_WORK/tmp "$program" "$1")
	status=$?
}

for name in wrong_condition wrong_integer wrong_unsigned wrong_text \
	wrong_bytes goes_on_after_a_failure stops_where_it_must \
	failed_then_skipped crashes hangs; do
	run $name
	like "$status:$out" "1:*not ok 1 - $name*" "$name is a failure"
	like "$out" "*# repeat: TEST_KEEP=1 $program $name*" \
		"$name says how to repeat it"
done
for name in holds starts_clean has_a_folder sees_how_a_child_ends; do
	rm -rf tmp/*
	run $name
	is "$status:$out" "0:ok 1 - $name
1..1" "$name is a success"
	is "$(ls tmp)" "" "$name leaves nothing behind"
done

run wrong_integer
like "$out" "*selftest.c:*: 1*found    1*expected -2*" "place and values are told"
run wrong_text
like "$out" '*found    "two\\nlines"*expected NULL*' "text is told on one line"
run wrong_bytes
like "$out" '*found    "a\\x00b" (3 bytes)*' "bytes are told"
run goes_on_after_a_failure
like "$out" "*: false*found    2*expected 3*" "the test goes on"
run stops_where_it_must
unlike "$out" "*found    4*" "the test stops"
run is_skipped
like "$status:$out" "0:*ok 1 - is_skipped # SKIP no reason*" "a skipped test is no failure"
run no_such_test
like "$status:$out" "1:*Bail out!*" "running no test at all is a failure"
run ""
like "$status:$out" "1:*1..1[0-9]*" "all tests are run"
like "$out" "*ok * - starts_clean*" "one test cannot change the next one"

# script NAME LINES: a script that uses tap.sh; sets $out and $status.
script() {
	printf '. "%s/tests/lib/tap.sh"\n%s\n' "$TEST_SOURCE" "$1" >script.sh
	out=$(TMPDIR=$TEST_WORK/tmp sh script.sh 2>&1)
	status=$?
}

script 'is a a same; ok works true; not_ok fails false; exits 3 three sh -c "exit 3"; like abc "a*" like; unlike abc "b*" unlike; skip later why; done_testing'
is "$status:$out" "0:ok 1 - same
ok 2 - works
ok 3 - fails
ok 4 - three
ok 5 - like
ok 6 - unlike
ok 7 - later # SKIP why
1..7" "a script of good checks succeeds"
for line in 'is a b name' 'ok name false' 'not_ok name true' \
	'exits 3 name true' 'like abc "b*" name' 'unlike abc "a*" name'; do
	script "$line; done_testing"
	like "$status:$out" "1:*not ok 1 - name*# repeat:*" "seen: $line"
done
script 'pass name; exit 0'
like "$status:$out" "99:*Bail out!*" "a script without an end is a failure"
script 'done_testing'
like "$status:$out" "99:*Bail out!*" "a script without a check is a failure"
script 'skip_all reason'
is "$status:$out" "0:1..0 # SKIP reason" "a whole script can be skipped"
script 'at_end "echo one"; at_end "echo two"; pass name; done_testing'
is "$out" "ok 1 - name
1..1
two
one" "cleaning up runs backwards"
script 'echo $undefined; pass name; done_testing'
unlike "$status" 0 "an unset variable is a failure"
# A machine that cannot be had is skipped, with what unshare says about it.
mkdir bin
printf '#!/bin/sh\necho 0\n' >bin/id
printf '#!/bin/sh\necho "unshare: not\npermitted" >&2\nexit 1\n' >bin/unshare
chmod 755 bin/id bin/unshare
echo '. "$TEST_SOURCE/tests/lib/machine.sh"; machine_enter' >needs-machine
is "$(PATH=$PWD/bin:$PATH sh needs-machine)" \
	"1..0 # SKIP no namespaces here: unshare: not permitted" \
	"machine.sh tells why there is no machine"
done_testing
