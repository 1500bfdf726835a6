#!/bin/sh
# What Sieve costs: compiling and judging, beside Pigeonhole and libsieve.
#
#	tests/perf/sieve.sh
#
# Scripts of 15 and of 500 rules, none of which fits, over messages of 4 KB and of
# 1 MB.  Nobody's process start is counted: many messages (scripts) go through one
# process, and the time for a script of one rule (for one script) is taken off.
#
# - Pigeonhole judges by sieve-filter, without writing an index, and compiles by
#   sievec, which writes a file for each script: on a memory file system.
# - Doorstep compiles and judges in sievebench; opening and indexing the message is
#   measured on both sides and taken off on both.
# - libsieve reads the script for each message and has a process for each, so its
#   figure is both, with what one rule costs in the same way taken off.
#
# All figures are CPU time, of the system as well.  Prints a table and ratios; checks
# only that all could be run, for times of a shared machine prove nothing.  Each figure is the least of PERF_ROUNDS (2).
#
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # `least` runs functions
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

bench=$TEST_BUILD/tests/perf/sievebench
mkdir bin
install -m 755 "$TEST_BUILD/tests/perf/oneshot" bin/oneshot ||
	bail_out "no oneshot: run make check-perf"
[ -x "$bench" ] || bail_out "no $bench: run make check-perf"
rounds=${PERF_ROUNDS:-2}

# rules COUNT: a script that all three engines know.
rules() {
	awk -v count="$1" 'BEGIN {
		print "require [\"fileinto\", \"envelope\", \"imap4flags\"];"
		for (i = 1; i <= count; i++) {
			folder = "fileinto \"Folder" i "\"; stop; }"
			kind = i % 5
			if (kind == 1)
				print "if header :contains \"subject\" [\"invoice " \
					i "\", \"bill " i "\"] { " folder
			if (kind == 2)
				print "if address :domain :is \"from\" \"site" i \
					".example\" { addflag \"\\\\Seen\"; " folder
			if (kind == 3)
				print "if anyof (header :matches \"list-id\" " \
					"\"*<list" i ".*>*\", header \"x-spam\" " \
					"\"yes\") { " folder
			if (kind == 4)
				print "if address :is [\"to\", \"cc\"] [\"friend" i \
					"@home.example\", \"other" i \
					"@home.example\"] { " folder
			if (kind == 0)
				print "if allof (exists \"x-list" i "\", not " \
					"header \"precedence\" \"bulk\") { " folder
		}
	}'
}
# mail BYTES: a message of about that size, with an ordinary header.
mail() {
	awk -v bytes="$1" 'BEGIN {
		for (i = 1; i <= 4; i++) {
			print "Received: from relay" i ".client.example " \
				"([192.0.2." i "])"
			print "\tby mx.example.test with ESMTPS; " \
				"Mon, 6 May 2024 10:00:00 +0000"
		}
		print "Message-ID: <perf@client.example>"
		print "Date: Mon, 6 May 2024 10:00:00 +0000"
		print "From: Ada Reed <ada@client.example>"
		print "To: Amy <amy@example.test>, bob@example.test"
		print "Cc: team@example.test"
		print "Subject: Minutes of the meeting on Tuesday"
		print "List-Id: People of the team <team.lists.example>"
		print "MIME-Version: 1.0"
		print "Content-Type: text/plain; charset=utf-8\n"
		for (written = 1000; written < bytes; written += 64)
			print "a line of text that is neither long nor short, " \
				"as most of them"
	}'
}
rules 1 >rules.1
rules 15 >rules.15
rules 500 >rules.500
mail 4096 >mail.4K
mail 1048576 >mail.1M

if command -v sieve-filter >/dev/null && command -v sievec >/dev/null; then
	has_pigeonhole=yes
	mkdir home
	chmod 755 "$TEST_WORK"
	uid=$(id -u)
	[ "$uid" -ne 0 ] || uid=$(id -u nobody)
	for size in 4K 1M; do
		mkdir -p "home/$size/cur" "home/$size/new" "home/$size/tmp"
	done
	fill() { # SIZE COUNT
		cp "mail.$1" "home/$1/cur/0.a:2,"
		number=1
		while [ $number -lt "$2" ]; do
			ln "home/$1/cur/0.a:2," "home/$1/cur/$number.a:2,"
			number=$((number + 1))
		done
	}
	fill 4K 1000
	fill 1M 100
	[ "$(id -u)" -ne 0 ] || chown -R "$uid" home
	cat >dovecot.conf <<END
base_dir = $TEST_WORK/run
state_dir = $TEST_WORK/run
log_path = /dev/stderr
ssl = no
mail_home = $TEST_WORK/home
mail_uid = $uid
mail_gid = $uid
first_valid_uid = 1
END
else
	has_pigeonhole=
fi
memory=$TEST_WORK
[ ! -w /dev/shm ] || memory=$(mktemp -d /dev/shm/doorstep-sieve.XXXXXX)
at_end "rm -rf '$memory'"

# least COMMAND...: what it prints, the least of the rounds.
least() {
	least_round=0
	while [ $least_round -lt "$rounds" ]; do
		least_round=$((least_round + 1))
		"$@" || echo failed
	done | sort -n | awk '/failed/ { bad = 1 } NR == 1 { least = $1 }
		END { print bad ? "failed" : least }'
}
# cpu COMMAND...: the microseconds of CPU time that it uses.  What it writes comes
# before the line of oneshot.
cpu() {
	"$TEST_WORK/bin/oneshot" -n 1 /dev/null "$@" 2>said |
		tail -n 1 | awk '{ print $6 == 0 ? $3 : "failed" }'
}
filter() { # SCRIPT SIZE
	cpu sieve-filter -c dovecot.conf \
		-o "mail_location=maildir:$TEST_WORK/home/$2:INDEX=MEMORY" \
		"$TEST_WORK/$1.sieve" INBOX
}
# compiler COUNT SCRIPT: sievec for so many copies.
compiler() {
	rm -rf "$memory/scripts"
	mkdir "$memory/scripts"
	compiler_left=$1
	while [ "$compiler_left" -gt 0 ]; do
		cp "$2" "$memory/scripts/$compiler_left.sieve"
		compiler_left=$((compiler_left - 1))
	done
	cpu sievec -c dovecot.conf "$memory/scripts"
}
# each WHOLE BASE COUNT: microseconds of one.
each() {
	awk -v whole="$1" -v base="$2" -v count="$3" 'BEGIN {
		if (whole == "failed" || base == "failed" || whole == "")
			print "-"
		else
			printf "%.2f\n", (whole - base) / count }'
}
ratio() { # OTHER OURS
	awk -v other="$1" -v ours="$2" 'BEGIN {
		if (other == "-" || ours == "-" || ours + 0 <= 0) print "-"
		else printf "%.1f\n", other / ours }'
}
row() {
	diag "$(printf '%-26s %11s %11s %7s %11s %7s' "$@")"
}

diag "microseconds of CPU time each, the least of $rounds rounds"
row what doorstep pigeonhole ratio libsieve ratio
for count in 15 500; do
	cp rules.$count rules.$count.sieve
	ours_runs=$((30000 / count + 200))
	peer_runs=$((3000 / count + 20))
	ours=$(least "$bench" compile $ours_runs rules.$count)
	ok "the script of $count rules compiles" test "$ours" != failed
	ours=$(each "$ours" 0 $ours_runs)
	theirs=-
	if [ -n "$has_pigeonhole" ]; then
		theirs=$(each "$(least compiler $peer_runs rules.$count)" \
			"$(least compiler 1 rules.$count)" $((peer_runs - 1)))
	fi
	row "compile $count rules" "$ours" "$theirs" "$(ratio "$theirs" "$ours")" - -
done
cp rules.1 rules.1.sieve
for script in 1 15 500; do
	[ -z "$has_pigeonhole" ] ||
		sievec -c dovecot.conf rules.$script.sieve rules.$script.svbin \
			>/dev/null 2>&1
done
chmod 644 rules.*
for size in 4K 1M; do
	case $size in
	4K) ours_runs=5000 peer_runs=1000 child_runs=100 ;;
	1M) ours_runs=500 peer_runs=100 child_runs=50 ;;
	esac
	ours_base=$(least "$bench" native "$ours_runs" rules.1 mail.$size)
	child_base=$(least "$bench" libsieve "$child_runs" rules.1 mail.$size \
		2>/dev/null)
	theirs_base=
	[ -z "$has_pigeonhole" ] || theirs_base=$(least filter rules.1 $size)
	for count in 15 500; do
		ours=$(least "$bench" native "$ours_runs" rules.$count mail.$size)
		ok "$count rules judge a message of $size" test "$ours" != failed
		ours=$(each "$ours" "$ours_base" "$ours_runs")
		child=$(each "$(least "$bench" libsieve "$child_runs" \
			rules.$count mail.$size 2>/dev/null)" \
			"$child_base" "$child_runs")
		theirs=-
		[ -z "$has_pigeonhole" ] ||
			theirs=$(each "$(least filter rules.$count $size)" \
				"$theirs_base" "$peer_runs")
		row "judge $size by $count rules" "$ours" "$theirs" \
			"$(ratio "$theirs" "$ours")" "$child" \
			"$(ratio "$child" "$ours")"
	done
done
diag "aims: compiling 5 times, judging 10 times as fast as Pigeonhole"
done_testing
