#!/bin/sh
# Every fuzzer searches for some seconds, starting from its corpus.
#
# Those of scripts and messages, which anybody may write, search for FUZZ_SECONDS
# (30), the others for FUZZ_OTHERS_SECONDS (the same).
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

foremost="sieve-compile sieve-run message address mime encodedword"
seconds=${FUZZ_SECONDS:-30}
others_seconds=${FUZZ_OTHERS_SECONDS:-$seconds}
# What it finds stays in the build folder.
found=$TEST_BUILD/tests/fuzz/found
mkdir -p "$found"

# fuzz NAME SECONDS: searches; its exit status is in NAME.status.
fuzz() {
	dictionary=$TEST_SOURCE/tests/fuzz/$1.dict
	set -- "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 \
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

names=
for source in "$TEST_SOURCE"/tests/fuzz/fuzz-*.c; do
	[ -e "$source" ] || bail_out "there is no fuzzer"
	name=$(basename "$source" .c)
	name=${name#fuzz-}
	case " $foremost " in
	*" $name "*) ;;
	*) names="$names $name" ;;
	esac
done
names="$foremost$names"

# seconds_of NAME
seconds_of() {
	case " $foremost " in
	*" $1 "*) echo "$seconds" ;;
	*) echo "$others_seconds" ;;
	esac
}

# One for each processor at a time, those that take as long together.
jobs=0
for name in $names; do
	fuzz "$name" "$(seconds_of "$name")" &
	jobs=$((jobs + 1))
	[ $((jobs % $(nproc))) -ne 0 ] || wait
done
wait

for name in $names; do
	sentence="$name finds nothing in $(seconds_of "$name") s"
	if [ "$(cat "$name.status")" = 0 ]; then
		pass "$sentence"
		diag "$(grep number_of_executed_units "$name.log")"
	else
		fail "$sentence" "$(tail -n 60 "$name.log")" \
			"what it found is in $found; a copy belongs into" \
			"tests/fuzz/corpus/$name"
	fi
done
done_testing
