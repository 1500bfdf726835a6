# tap.sh - TAP from a shell script
#
#	. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
#	is "$(printf x)" x "printf prints"
#	done_testing
#
# After this file is read the script runs in a private folder, $TEST_WORK,
# under TZ=UTC, LC_ALL=C and umask 077.  The folder is removed at the end; it
# stays when a check failed or TEST_KEEP is set.
#   $TEST_SOURCE  top of the sources
#   $TEST_BUILD   top of the build (make check sets both)
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

set -u
TZ=UTC LC_ALL=C
export TZ LC_ALL
umask 077

tap_script=$(realpath "$0")
TEST_SOURCE=$(realpath "${TEST_SOURCE:-$(dirname "$tap_script")/../..}")
if [ -z "${TEST_BUILD:-}" ]; then
	TEST_BUILD=$TEST_SOURCE/build
	[ -f config.status ] && TEST_BUILD=$PWD
fi
TEST_BUILD=$(realpath "$TEST_BUILD")
export TEST_SOURCE TEST_BUILD

tap_count=0
tap_failed=0
tap_planned=
tap_cleanups=

TEST_WORK=$(mktemp -d "${TMPDIR:-/tmp}/doorstep-$(basename "$0" .sh).XXXXXX") ||
	exit 99
cd "$TEST_WORK" || exit 99

# at_end COMMAND: run it when the script ends, last one first.
at_end() {
	tap_cleanups="$1
$tap_cleanups"
}

# Runs on every way out: a script that dies half-way has no plan and fails.
tap_leave() {
	tap_status=$?
	trap - EXIT
	eval "$tap_cleanups"
	if [ -z "$tap_planned" ] && [ "$tap_status" -ne 99 ]; then
		echo "Bail out! $(basename "$0") ended before done_testing"
		tap_status=99
	fi
	cd /
	if [ "$tap_status" -ne 0 ] || [ -n "${TEST_KEEP:-}" ]; then
		echo "# kept in $TEST_WORK"
		echo "# repeat: TEST_KEEP=1 TEST_BUILD=$TEST_BUILD sh $tap_script"
	else
		chmod -R u+rwX "$TEST_WORK" 2>/dev/null
		rm -rf "$TEST_WORK"
	fi
	exit "$tap_status"
}
trap tap_leave EXIT
trap 'exit 99' HUP INT TERM

# diag TEXT...: lines that explain, never counted.
diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# pass NAME / fail NAME [TEXT...]
pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}
fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	for tap_text; do diag "$tap_text"; done
}

# ok NAME COMMAND...: the command succeeds.  not_ok: it does not.
# Its output is shown when the check fails.
ok() {
	tap_name=$1
	shift
	if "$@" >"$TEST_WORK/.tap" 2>&1; then
		pass "$tap_name"
	else
		fail "$tap_name" "exit status $? of: $*" \
			"$(tail -n 20 "$TEST_WORK/.tap")"
	fi
}
not_ok() {
	tap_name=$1
	shift
	if "$@" >"$TEST_WORK/.tap" 2>&1; then
		fail "$tap_name" "unexpected success of: $*" \
			"$(tail -n 20 "$TEST_WORK/.tap")"
	else
		pass "$tap_name"
	fi
}

# exits STATUS NAME COMMAND...: ends with just this status.
exits() {
	tap_expected=$1 tap_name=$2
	shift 2
	"$@" >"$TEST_WORK/.tap" 2>&1
	tap_found=$?
	if [ "$tap_found" -eq "$tap_expected" ]; then
		pass "$tap_name"
	else
		fail "$tap_name" "found    exit status $tap_found" \
			"expected exit status $tap_expected" \
			"$(tail -n 20 "$TEST_WORK/.tap")"
	fi
}

# is FOUND EXPECTED NAME: equal texts.
is() {
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		fail "$3" "found    $1" "expected $2"
	fi
}

# like TEXT PATTERN NAME: a shell pattern (*x*) matches the whole text.
# unlike: it does not.
like() {
	# shellcheck disable=SC2254 # the pattern is meant as one
	case $1 in
	$2) pass "$3" ;;
	*) fail "$3" "found    $1" "expected something like $2" ;;
	esac
}
unlike() {
	# shellcheck disable=SC2254 # the pattern is meant as one
	case $1 in
	$2) fail "$3" "found    $1" "expected nothing like $2" ;;
	*) pass "$3" ;;
	esac
}

# skip NAME REASON: one check that cannot be made here.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# skip_all REASON: the whole script cannot run here.
skip_all() {
	echo "1..0 # SKIP $1"
	tap_planned=yes
	exit 0
}

# bail_out REASON: nothing further makes sense.
bail_out() {
	echo "Bail out! $1"
	exit 99
}

# done_testing: the last line of every script.
done_testing() {
	tap_planned=yes
	if [ "$tap_count" -eq 0 ]; then
		bail_out "no check was made"
	fi
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit $?
}
