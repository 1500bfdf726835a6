#!/bin/sh
# Passing mail on to another host, beside Dovecot's LMTP proxy.
#
#	tests/perf/proxy.sh [ROUNDS [SECONDS]]
#
# Both proxies stand in front of the same two backends, one after the other: a sink
# that takes all mail and keeps none (tests/perf/lmtpsink.c), so that the proxy is
# what is measured, and a doorstep-lmtpd that files it.  Each round measures 1 and 64
# connections with one recipient for a message, and 64 with ten.  Prints a table and
# the median of the rounds' ratios, and what the hop costs beside the backend alone;
# checks only that all was delivered, for times of a shared machine prove nothing.
# The default (1 round of a second) takes some 20 seconds.
#
# Needs root (tests/lib/machine.sh).
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"

rounds=${1:-${PERF_ROUNDS:-1}}
seconds=${2:-1}
users=2000
for program in lmtpload lmtpsink; do
	[ -x "$TEST_BUILD/tests/perf/$program" ] ||
		bail_out "no $program: run make check-perf"
done
machine_begin
for program in lmtpload lmtpsink; do
	install -m 755 "$TEST_BUILD/tests/perf/$program" "$TEST_WORK/bin/$program"
done
machine_user doorstep 61080
machine_user doorstepd 61081
machine_user vmail 61090

"$TEST_WORK/bin/lmtpsink" 127.0.0.1 2450 &
at_end "kill $! 2>/dev/null"

install -d -o vmail -g vmail "$TEST_WORK/home/vmail"
server_conf backend <<END
mail_location = maildir:~/Maildir
login_trusted_networks = 127.0.0.0/8
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2451
  }
}
userdb {
  driver = static
  args = allow_all_users=yes uid=vmail gid=vmail home=$TEST_WORK/home/vmail/%n
}
END
server_start backend

# doorstep_proxy NAME PORT: to the backend on that port.
doorstep_proxy() {
	server_conf "$1" <<END
lmtp_proxy = yes
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
userdb {
  driver = static
  args = allow_all_users=yes proxy=y host=127.0.0.1 port=$2
}
END
	server_start "$1"
}
doorstep_proxy doorstep-sink 2450
doorstep_proxy doorstep-real 2451

# dovecot_proxy NAME PORT
dovecot_proxy() {
	[ -e /usr/lib/dovecot/lmtp ] || return 1
	mkdir "$TEST_WORK/run-$1"
	cat >"$TEST_WORK/$1.conf" <<END
base_dir = $TEST_WORK/run-$1
log_path = $TEST_WORK/log/$1.log
instance_name = $1
protocols = lmtp
ssl = no
hostname = mx.example.test
postmaster_address = postmaster@example.test
lmtp_proxy = yes
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = nopassword=y proxy=y host=127.0.0.1 port=$2
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=$TEST_WORK/home/vmail/%n allow_all_users=yes
}
service lmtp {
  process_min_avail = $(nproc)
  unix_listener lmtp {
    mode = 0666
  }
}
END
	dovecot -c "$TEST_WORK/$1.conf" || return 1
	at_end "doveadm -c $TEST_WORK/$1.conf stop 2>/dev/null"
	wait_for 20 test -S "$TEST_WORK/run-$1/lmtp"
}
# It notes each instance there; not on this machine's disk.
proxies=doorstep
if mount -t tmpfs -o mode=755 tmpfs /var/lib/dovecot 2>/dev/null; then
	at_end "umount -l /var/lib/dovecot"
	if dovecot_proxy dovecot-sink 2450 && dovecot_proxy dovecot-real 2451; then
		proxies="dovecot doorstep"
	fi
fi
[ "$proxies" != doorstep ] || diag "no Dovecot with its LMTP server here"

# measure TARGET CONNECTIONS RECIPIENTS SECONDS
measure() {
	"$TEST_WORK/bin/lmtpload" -c "$2" -r "$3" -t "$4" -u $users "$1" ||
		echo "0 0 0 1"
}
target() {
	case $1 in
	alone-sink) echo 127.0.0.1:2450 ;;
	alone-real) echo 127.0.0.1:2451 ;;
	*) echo "$TEST_WORK/run-$1/lmtp" ;;
	esac
}

for proxy in $proxies; do
	for backend in sink real; do
		measure "$(target "$proxy-$backend")" 4 1 1 \
			>"$TEST_WORK/warm.$proxy"
		case $proxy:$(cat "$TEST_WORK/warm.$proxy") in
		dovecot:*" 0") ;;
		dovecot:*)
			proxies=doorstep
			diag "Dovecot does not pass mail on here:" \
				"$(tail -n 5 "$TEST_WORK/log/dovecot-$backend.log")"
			;;
		esac
	done
done

scenarios="c1:1:1 c64:64:1 r10:64:10"
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	for backend in sink real; do
		for scenario in $scenarios; do
			connections=${scenario#*:}
			for proxy in alone $proxies; do
				measure "$(target "$proxy-$backend")" \
					"${connections%:*}" "${scenario##*:}" \
					"$seconds" | tee -a "$TEST_WORK/$backend.${scenario%%:*}.$proxy" \
					>"$TEST_WORK/last.$proxy"
			done
			[ "$proxies" = doorstep ] ||
				paste "$TEST_WORK/last.doorstep" "$TEST_WORK/last.dovecot" |
				awk '$5 > 0 { print $1 / $5 }' \
					>>"$TEST_WORK/ratio.$backend.${scenario%%:*}"
		done
	done
done

median() {
	sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}
# column NUMBER FILE
column() {
	awk -v column="$1" '{ print $column }' "$2" | median
}
diag "$rounds rounds of $seconds s; messages of 4 KB; alone: without a proxy"
diag "$(printf '%-7s %-9s %-9s %14s %9s %9s' backend scenario proxy \
	"recipients/s" "p50 ms" "p99 ms")"
for backend in sink real; do
	for scenario in c1 c64 r10; do
		for proxy in alone $proxies; do
			file=$TEST_WORK/$backend.$scenario.$proxy
			diag "$(printf '%-7s %-9s %-9s %14s %9s %9s' $backend $scenario \
				"$proxy" "$(column 1 "$file")" "$(column 2 "$file")" \
				"$(column 3 "$file")")"
		done
		[ "$proxies" = doorstep ] ||
			diag "$backend $scenario:" \
				"$(median <"$TEST_WORK/ratio.$backend.$scenario")" \
				"times Dovecot"
		is "$(awk '{ errors += $4 } END { print errors + 0 }' \
			"$TEST_WORK/$backend.$scenario.doorstep")" 0 \
			"$backend $scenario: all is passed on"
	done
done
for server in backend doorstep-sink doorstep-real; do
	is "$(server_errors $server | tail -n 3)" "" "$server has no trouble"
done
done_testing
