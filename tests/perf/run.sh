#!/bin/sh
# What one delivery by the command line costs, beside /bin/true and other agents.
#
#	tests/perf/run.sh [ROUNDS [RUNS]]
#
# Each round runs every command RUNS times, one command after the other, so that
# a busy machine slows all alike.  Prints a table of medians over the rounds and
# the system calls of one run; checks only that every delivery succeeded, for
# times of a shared machine prove nothing.  The default (3 rounds of 60) takes
# some seconds; for figures to quote use 9 rounds of 300 on an idle machine.
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
set -- "${1:-${PERF_ROUNDS:-3}}" "${2:-${PERF_RUNS:-60}}"
perf_rounds=$1
perf_runs=$2
lda_account=$(id -u nobody) # maildrop wants a name for it
. "$TEST_SOURCE/tests/lda/lda.sh"

oneshot=$TEST_BUILD/tests/perf/oneshot
[ -x "$oneshot" ] || bail_out "no $oneshot: run make check-perf"
install -m 755 "$oneshot" bin/oneshot
fresh

awk 'BEGIN {
	print "Received: from relay.client.example ([192.0.2.25])"
	print "\tby mx.example.test with ESMTPS; Mon, 6 May 2024 10:00:00 +0000"
	print "Message-ID: <perf@client.example>"
	print "Date: Mon, 6 May 2024 10:00:00 +0000"
	print "From: Ada Reed <ada@client.example>\nTo: <user@example.test>"
	print "Subject: Minutes of the meeting on Tuesday\nMIME-Version: 1.0"
	print "Content-Type: text/plain; charset=utf-8\n"
	for (i = 1; i <= 50; i++)
		printf "line %02d of a text that is neither long nor short, " \
			"as most texts of mail are\n", i
}' >message

# A home for each command; the same kind of Maildir in each.
agent_home() {
	for folder in "$home/$1" "$home/$1/Maildir" "$home/$1/Maildir/new" \
		"$home/$1/Maildir/cur" "$home/$1/Maildir/tmp"; do
		as_user mkdir -m 700 "$folder"
	done
}
agents=
# agent NAME WORDS: how to start it, with its home in HOME.
agent() {
	agent_home "$1"
	agents="$agents $1"
	echo "$2" >"command.$1"
}
agent true /bin/true
agent doorstep-lda "$program -c $conf -f ada@client.example"
agent doorstep-lda-rules "$program -c $conf -f ada@client.example"
install -m 644 "$TEST_SOURCE/tests/perf/rules.sieve" \
	"$home/doorstep-lda-rules/.dovecot.sieve"
echo "log_path = $home/log" >>"$conf"
sed -i '/^sendmail/d' "$conf"
if command -v maildrop >/dev/null; then
	echo 'to "Maildir/"' >maildrop.plain
	agent maildrop "maildrop -V 1 $home/maildrop/filter"
	echo "to \"$home/maildrop/Maildir/\"" >"$home/maildrop/filter"
	[ "$(id -u)" -ne 0 ] || chown $lda_uid "$home/maildrop/filter"
	chmod 600 "$home/maildrop/filter"
fi
dovecot=/usr/lib/dovecot/dovecot-lda
if [ -x $dovecot ] && command -v doveconf >/dev/null; then
	cat >dovecot.conf <<END
base_dir = $TEST_WORK/run
state_dir = $TEST_WORK/run
log_path = $home/dovecot.log
mail_location = maildir:~/Maildir
first_valid_uid = 1
END
	agent dovecot-lda "$dovecot -c $TEST_WORK/dovecot.conf -f ada@client.example"
	if [ -e /usr/lib/dovecot/modules/lib90_sieve_plugin.so ]; then
		agent dovecot-lda-rules "$dovecot -c $TEST_WORK/dovecot.conf \
			-o mail_plugins=sieve -f ada@client.example"
		install -m 644 "$TEST_SOURCE/tests/perf/rules.sieve" \
			"$home/dovecot-lda-rules/.dovecot.sieve"
	fi
fi

# as_agent NAME WRAPPER...: the agent's command, run by the wrapper.
as_agent() {
	agent_name=$1
	shift
	# shellcheck disable=SC2046 # words of a command
	as_user env -i PATH="$PATH" TZ=UTC USER=amy HOME="$home/$agent_name" \
		"$@" $(cat "command.$agent_name")
}
delivered() {
	find "$home/$1/Maildir" -type f -path '*/new/*' | wc -l | tr -d ' '
}

round=0
while [ $round -lt "$perf_rounds" ]; do
	round=$((round + 1))
	for name in $agents; do
		as_agent "$name" "$TEST_WORK/bin/oneshot" -n "$perf_runs" \
			"$TEST_WORK/message" >>"times.$name" 2>>"said.$name"
	done
done

for name in $agents; do
	# A peer that cannot be set up here is told, and is no failure of ours.
	case $name in
	true | doorstep*)
		is "$(awk '{ sum += $6 } END { print sum + 0 }' "times.$name")" \
			0 "every run of $name succeeds"
		;;
	esac
done
for name in doorstep-lda doorstep-lda-rules; do
	is "$(delivered $name)" $((perf_rounds * perf_runs)) \
		"$name delivered every message to INBOX"
done

# median FIELD FILE
median() {
	awk -v field="$1" '{ print $field }' "$2" | sort -n |
		awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}
# calls NAME: the number of system calls of one run.
calls() {
	as_agent "$1" strace -f -c -o "$home/calls" <message >/dev/null 2>&1
	awk '$NF == "total" { print $(NF == 5 ? 3 : NF - 2) }' "$home/calls"
}
base=$(median 1 times.true)
diag "$perf_rounds rounds of $perf_runs runs; message $(wc -c <message) bytes"
diag "$(printf '%-20s %9s %9s %7s %9s %8s %7s %7s %6s' command "median ms" \
	"p90 ms" "x true" "CPU ms" "max KB" faults calls failed)"
for name in $agents; do
	count=-
	command -v strace >/dev/null && count=$(calls "$name")
	diag "$(awk -v name="$name" -v base="$base" -v calls="$count" \
		-v wall="$(median 1 "times.$name")" \
		-v p90="$(median 2 "times.$name")" \
		-v cpu="$(median 3 "times.$name")" \
		-v memory="$(median 4 "times.$name")" \
		-v faults="$(median 5 "times.$name")" \
		-v failed="$(awk '{ n += $6 } END { print n }' "times.$name")" \
		'BEGIN { printf "%-20s %9.2f %9.2f %7.1f %9.2f %8d %7d %7s %6d",
			name, wall / 1000, p90 / 1000, wall / base, cpu / 1000,
			memory, faults, calls, failed }')"
done
done_testing
