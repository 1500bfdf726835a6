#!/bin/sh
# Every fuzzer searches for some seconds, starting from its corpus.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

seconds=${FUZZ_SECONDS:-30}
# What it finds stays in the build folder.
found=$TEST_BUILD/tests/fuzz/found
mkdir -p "$found"

# fuzz NAME: searches; its exit status is in NAME.status.
fuzz() {
	dictionary=$TEST_SOURCE/tests/fuzz/$1.dict
	set -- "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-verbosity=0 -print_final_stats=1 -artifact_prefix="$found/$1-"
	[ ! -e "$dictionary" ] || set -- "$@" -dict="$dictionary"
	name=$1
	shift
	mkdir "$name"
	status=0
	"$TEST_BUILD/tests/fuzz/fuzz-$name" "$@" "$name" \
		"$TEST_SOURCE/tests/fuzz/corpus/$name" >"$name.log" 2>&1 ||
		status=$?
	echo "$status" >"$name.status"
}

# One for each processor at a time.
names=
jobs=0
for source in "$TEST_SOURCE"/tests/fuzz/fuzz-*.c; do
	[ -e "$source" ] || bail_out "there is no fuzzer"
	name=$(basename "$source" .c)
	name=${name#fuzz-}
	names="$names $name"
	fuzz "$name" &
	jobs=$((jobs + 1))
	[ $((jobs % $(nproc))) -ne 0 ] || wait
done
wait

for name in $names; do
	if [ "$(cat "$name.status")" = 0 ]; then
		pass "$name finds nothing in $seconds s"
		diag "$(grep number_of_executed_units "$name.log")"
	else
		fail "$name finds nothing in $seconds s" \
			"$(tail -n 60 "$name.log")" \
			"what it found is in $found; a copy belongs into" \
			"tests/fuzz/corpus/$name"
	fi
done
done_testing
