#!/bin/sh
# What the server delivers by LMTP, beside Dovecot's, in the same run.
#
#	tests/perf/lmtp.sh [ROUNDS [SECONDS]]
#
# Each round asks one server after the other, so that a busy machine slows all
# alike.  Prints a table of medians over the rounds; checks only that every
# delivery succeeded.  Needs root (tests/lib/machine.sh).  The default (1 round of
# 1 second) takes some ten seconds; for figures to quote use 5 rounds of 3 on an
# idle machine.
#
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names come from ../lib/server.sh
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"
set -- "${1:-${PERF_ROUNDS:-1}}" "${2:-1}"
perf_rounds=$1
perf_seconds=$2
perf_users=200

machine_begin
machine_user vmail 61090
lmtpload=$TEST_BUILD/tests/perf/lmtpload
[ -x "$lmtpload" ] || bail_out "no $lmtpload: run make check-perf"

# A disk, not the memory that /tmp may be.
perf_disk=$(mktemp -d "${PERF_DISK:-/var/tmp}/doorstep-perf.XXXXXX") ||
	bail_out "no folder for mail"
at_end "rm -rf $perf_disk"
chmod 755 "$perf_disk"
homes() {
	install -d -o vmail -g vmail "$perf_disk/$1"
	for number in $(seq 0 $((perf_users - 1))); do
		install -d -o vmail -g vmail "$perf_disk/$1/user$number"
		install -o vmail -g vmail -m 644 \
			"$TEST_SOURCE/tests/perf/rules.sieve" \
			"$perf_disk/$1/user$number/.dovecot.sieve"
	done
}

homes ours
for number in $(seq 0 $((perf_users - 1))); do
	echo "user$number@example.test::61090:61090::$perf_disk/ours/user$number::"
done >"$TEST_WORK/users"
server_conf perf <<END
mail_location = maildir:~/Maildir
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
service lmtp {
  process_limit = 64
}
END
server_start perf vmail
echo "doorstep $TEST_WORK/run-perf/lmtp $server_pid" >"$TEST_WORK/servers"

# A Dovecot of the test's own, if it is here, with the same rules.
perf_dovecot() {
	[ -x /usr/lib/dovecot/lmtp ] || return 1
	homes dovecot
	mkdir "$TEST_WORK/run-dovecot"
	mount -t tmpfs -o mode=755 tmpfs /var/lib/dovecot || return 1
	at_end "umount -l /var/lib/dovecot"
	cat >"$TEST_WORK/dovecot.conf" <<END
base_dir = $TEST_WORK/run-dovecot
log_path = $TEST_WORK/log/dovecot.log
protocols = lmtp
ssl = no
hostname = mx.example.test
postmaster_address = postmaster@example.test
mail_home = $perf_disk/dovecot/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  process_min_avail = 2
  unix_listener $TEST_WORK/run-dovecot/lmtp-test {
    mode = 0666
  }
}
protocol lmtp {
  mail_plugins = sieve
}
END
	dovecot -F -c "$TEST_WORK/dovecot.conf" >"$TEST_WORK/log/out" 2>&1 &
	perf_pid=$!
	at_end "kill $perf_pid 2>/dev/null"
	wait_for 10 test -S "$TEST_WORK/run-dovecot/lmtp-test" || return 1
	echo "dovecot $TEST_WORK/run-dovecot/lmtp-test $perf_pid" \
		>>"$TEST_WORK/servers"
}
perf_dovecot || diag "no Dovecot to compare with"

# cell NAME TARGET CONNECTIONS RECIPIENTS: a line for the table.
cell() {
	"$lmtpload" -c "$3" -r "$4" -t "$perf_seconds" -u $perf_users "$2" \
		>>"$TEST_WORK/cell.$1.$3.$4" 2>>"$TEST_WORK/cell.errors" ||
		echo "0 0 0 1" >>"$TEST_WORK/cell.$1.$3.$4"
}
while read -r name target _; do # the first deliveries make the mailboxes
	"$lmtpload" -c 4 -r 50 -t 1 -u $perf_users "$target" >/dev/null 2>&1
done <"$TEST_WORK/servers"
for _ in $(seq "$perf_rounds"); do
	for shape in "1 1" "8 1" "64 1" "1 50" "8 50"; do
		while read -r name target _; do
			# shellcheck disable=SC2086 # two words
			cell "$name" "$target" $shape
		done <"$TEST_WORK/servers"
	done
done

# median FIELD FILE
median() {
	awk -v field="$1" '{ print $field }' "$2" | sort -g |
		awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}
is "$(cat "$TEST_WORK"/cell.doorstep.* | awk '{ n += $4 } END { print n }')" 0 \
	"every delivery is answered 2xx"
diag "$perf_rounds rounds of $perf_seconds s; 4 KB, 15 rules, $perf_users users"
diag "$(printf '%-12s %-5s %-5s %12s %9s %9s %8s' server conns rcpts \
	"rcpts/s" "p50 ms" "p99 ms" "x peer")"
for shape in "1 1" "8 1" "64 1" "1 50" "8 50"; do
	end=$(echo "$shape" | tr ' ' .)
	peer=0
	[ -s "$TEST_WORK/cell.dovecot.$end" ] &&
		peer=$(median 1 "$TEST_WORK/cell.dovecot.$end")
	while read -r name _; do
		# shellcheck disable=SC2086 # two words
		diag "$(printf '%-12s %-5s %-5s %12s %9s %9s %8s' "$name" $shape \
			"$(median 1 "$TEST_WORK/cell.$name.$end")" \
			"$(median 2 "$TEST_WORK/cell.$name.$end")" \
			"$(median 3 "$TEST_WORK/cell.$name.$end")" \
			"$(echo "$(median 1 "$TEST_WORK/cell.$name.$end") $peer" |
				awk '{ if ($2 > 0) printf "%.1f", $1 / $2;
					else print "-" }')")"
	done <"$TEST_WORK/servers"
done
server_stop
is $? 0 "the server ends with status 0"
done_testing
