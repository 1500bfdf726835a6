# Limits that an MTA or an admin sets for the process.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# Postfix's mailbox_size_limit is a limit for every file, with SIGXFSZ.
for limit in 0 1 100 4096 100000 400000; do
	scene large
	deliver prlimit --fsize=$limit
	is "$status $(visible)$(leftovers)" "75 " \
		"a limit of $limit bytes for files: exit 75, nothing left"
done
scene large
deliver prlimit --fsize=1000000
is "$status $(verdict)" "0 " "a limit above the message is none"

harm=
faults=0
for limit in 3 4 5 6 7 8 10; do
	scene fresh
	deliver prlimit --nofile=$limit
	faults=$((faults + 1))
	case $status in
	0 | 75)
		result=$(
			verdict
			leftovers
		)
		;;
	127) result= ;; # the loader had none for a library
	*) result="status $status" ;;
	esac
	[ -z "$result" ] || harm="$harm
$limit descriptors: $result"
done
harmless "few descriptors: delivered or exit 75"

# 100 MB in memory that does not grow with it.
scene plain
{
	printf 'Subject: big\n\n'
	head -c 75000000 /dev/urandom | base64
} >"$sent"
cat >"$home/.dovecot.sieve" <<'END'
require "fileinto";
if header :contains "subject" "small" { fileinto "Small"; }
END
override=log_path=/dev/null
deliver "$TEST_WORK/bin/oneshot" -n 1 "$sent"
read -r _ _ _ memory _ failed <"$TEST_WORK/output"
status=$failed
is "$status $(verdict)" "0 " "100 MB are delivered"
ok "in less than 16 MB of memory ($memory KB)" test "$memory" -lt 16384
