#!/bin/sh
# Deliveries by LMTP, beside Dovecot's server.
#
#	tests/perf/lmtp.sh [ROUNDS [SECONDS]]
#
# Both servers file into Maildirs of the same kind on the same disk, for 200 users
# with a script of 15 rules each, none of which fits.  Each round measures one after
# the other: 1 and 64 connections with a message for one recipient each, and one
# connection with 50 recipients for each message.  Prints a table and the median of
# the rounds' ratios; checks only that all was delivered, for times of a shared
# machine prove nothing.  The default (2 rounds of a second) takes some 20 seconds.
#
# Needs root (tests/lib/machine.sh).  TMPDIR says which disk.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"

rounds=${1:-${PERF_ROUNDS:-2}}
seconds=${2:-1}
users=200
load=$TEST_BUILD/tests/perf/lmtpload
[ -x "$load" ] || bail_out "no $load: run make check-perf"
machine_begin
install -m 755 "$load" "$TEST_WORK/bin/lmtpload"
machine_user doorstep 61080
machine_user doorstepd 61081
machine_user vmail 61090

# homes SERVER: the users, each with the script.
homes() {
	homes=$TEST_WORK/home/vmail/$1
	mkdir -p "$homes"
	user=0
	while [ $user -lt $users ]; do
		mkdir "$homes/user$user"
		cp "$TEST_SOURCE/tests/perf/rules.sieve" \
			"$homes/user$user/.dovecot.sieve"
		echo "user$user@example.test:{PLAIN}x:61090:61090::$homes/user$user"
		user=$((user + 1))
	done >"$TEST_WORK/users-$1"
	chown -R vmail:vmail "$homes"
}

homes doorstep
server_conf doorstep <<END
mail_location = maildir:~/Maildir
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
userdb {
  driver = passwd-file
  args = $TEST_WORK/users-doorstep
}
END
server_start doorstep

dovecot_start() {
	[ -e /usr/lib/dovecot/lmtp ] &&
		[ -e /usr/lib/dovecot/modules/lib90_sieve_plugin.so ] || return 1
	homes dovecot
	# It notes each instance there; not on this machine's disk.
	mount -t tmpfs -o mode=755 tmpfs /var/lib/dovecot || return 1
	at_end "umount -l /var/lib/dovecot"
	mkdir "$TEST_WORK/run-dovecot"
	cat >"$TEST_WORK/dovecot.conf" <<END
base_dir = $TEST_WORK/run-dovecot
log_path = $TEST_WORK/log/dovecot.log
protocols = lmtp
ssl = no
hostname = mx.example.test
postmaster_address = postmaster@example.test
mail_location = maildir:~/Maildir
lda_mailbox_autocreate = yes
passdb {
  driver = passwd-file
  args = username_format=%u $TEST_WORK/users-dovecot
}
userdb {
  driver = passwd-file
  args = username_format=%u $TEST_WORK/users-dovecot
}
namespace inbox {
  inbox = yes
}
service auth {
  unix_listener auth-userdb {
    mode = 0777
  }
}
service lmtp {
  process_min_avail = $(nproc)
  unix_listener lmtp {
    mode = 0666
  }
}
protocol lmtp {
  mail_plugins = sieve
}
END
	dovecot -c "$TEST_WORK/dovecot.conf" || return 1
	at_end "doveadm -c $TEST_WORK/dovecot.conf stop 2>/dev/null"
	wait_for 20 test -S "$TEST_WORK/run-dovecot/lmtp"
}

# measure SERVER CONNECTIONS RECIPIENTS SECONDS: as lmtpload prints it; "0 0 0 1" when
# it ends with an error.
measure() {
	"$TEST_WORK/bin/lmtpload" -c "$2" -r "$3" -t "$4" -u $users \
		"$TEST_WORK/run-$1/lmtp" || echo "0 0 0 1"
}

servers=doorstep
if dovecot_start; then
	servers="dovecot doorstep"
else
	diag "no Dovecot with its LMTP server and Sieve here, or it does not start"
fi
# Mailboxes are made and scripts compiled.
for server in $servers; do
	measure "$server" 4 50 1 >"$TEST_WORK/warm.$server"
done
if ! grep -q ' 0$' "$TEST_WORK/warm.dovecot" 2>/dev/null; then
	[ "$servers" = doorstep ] || diag "Dovecot does not deliver here:" \
		"$(tail -n 5 "$TEST_WORK/log/dovecot.log")"
	servers=doorstep
fi

scenarios="c1:1:1 c64:64:1 r50:1:50"
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	for scenario in $scenarios; do
		connections=${scenario#*:}
		for server in $servers; do
			measure "$server" "${connections%:*}" \
				"${scenario##*:}" "$seconds" |
				tee -a "$TEST_WORK/${scenario%%:*}.$server" \
					>"$TEST_WORK/last.$server"
		done
		[ "$servers" = doorstep ] ||
			paste "$TEST_WORK/last.doorstep" "$TEST_WORK/last.dovecot" |
			awk '$5 > 0 { print $1 / $5 }' \
				>>"$TEST_WORK/ratio.${scenario%%:*}"
	done
done

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}
# column NUMBER FILE
column() {
	awk -v column="$1" '{ print $column }' "$2" | median
}
diag "$rounds rounds of $seconds s; $users users; messages of 4 KB"
diag "$(printf '%-9s %-9s %14s %9s %9s' scenario server \
	"recipients/s" "p50 ms" "p99 ms")"
for scenario in c1 c64 r50; do
	for server in $servers; do
		diag "$(printf '%-9s %-9s %14s %9s %9s' $scenario "$server" \
			"$(column 1 "$TEST_WORK/$scenario.$server")" \
			"$(column 2 "$TEST_WORK/$scenario.$server")" \
			"$(column 3 "$TEST_WORK/$scenario.$server")")"
	done
	[ "$servers" = doorstep ] ||
		diag "$scenario: $(median <"$TEST_WORK/ratio.$scenario") times Dovecot"
	is "$(awk '{ errors += $4 } END { print errors + 0 }' \
		"$TEST_WORK/$scenario.doorstep")" 0 "$scenario: all is delivered"
done
is "$(server_errors doorstep | tail -n 3)" "" "the server has no trouble"
done_testing
