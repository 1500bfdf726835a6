#!/bin/sh
# Every fuzzer searches for some seconds, starting from its corpus.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

seconds=${FUZZ_SECONDS:-30}
# What it finds stays in the build folder.
found=$TEST_BUILD/tests/fuzz/found
mkdir -p "$found"

for source in "$TEST_SOURCE"/tests/fuzz/fuzz-*.c; do
	[ -e "$source" ] || bail_out "there is no fuzzer"
	name=$(basename "$source" .c)
	name=${name#fuzz-}
	program=$TEST_BUILD/tests/fuzz/fuzz-$name
	corpus=$TEST_SOURCE/tests/fuzz/corpus/$name
	dictionary=$TEST_SOURCE/tests/fuzz/$name.dict

	set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-verbosity=0 -print_final_stats=1 \
		-artifact_prefix="$found/$name-"
	[ -e "$dictionary" ] && set -- "$@" -dict="$dictionary"
	mkdir "$name"
	if "$program" "$@" "$name" "$corpus" >"$name.log" 2>&1; then
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
