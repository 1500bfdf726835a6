#!/bin/sh
# From a real Exim to doorstep-lmtpd and doorstep-lda, as samples/exim says.
#
#	tests/e2e/exim.sh [WAY...]
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh), python3 and
# the packages that scripts/deps fetches.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"
. "$TEST_SOURCE/tests/lib/mta.sh"
. "$TEST_SOURCE/tests/e2e/mta.sh"

mta_unpack exim4-daemon-light
machine_begin
machine_user Debian-exim 61070 /var/spool/exim4
chmod 755 /var/spool/exim4
install -d -o Debian-exim -g Debian-exim /var/log/exim4
mta_begin exim
mta_server exim

# exim_conf WAY: the sample with another DELIVER_BY.
exim_conf() {
	mta_sample exim exim/exim4.conf |
		sed "s/^DELIVER_BY = .*/DELIVER_BY = $1/" >/etc/exim4/exim4.conf
}
# Delivers before it returns, but for bounces.
mta_send() {
	exim_sender=$1
	shift
	exim4 -odf -i -f "$exim_sender" "$@"
}
mta_retry() {
	exim4 -qff
}
mta_waits() {
	exim4 -bp | grep -F "$1"
}
mta_trouble() {
	tail -n 12 /var/log/exim4/* "$TEST_WORK"/log/*
}

ways=${*:-doorstep_lmtp doorstep_tcp doorstep_lda}
for way in $ways; do
	exim_conf "$way"
	ok "exim4.conf is right with DELIVER_BY = $way" exim4 -bV
	mta_ways "$way"
	case $way in
	doorstep_lda) ;;
	*) mta_outage "$way" exim ;;
	esac
done

message Account | mta_send "keeper@$domain" amy+x@mx.example.test
mta_holds "an account's mail is delivered" arrived amy Account
is "$(find "$(folder_of amy)/new" -type f -printf '%u\n')" amy \
	"by doorstep-lda as this account"
message Team | mta_send "keeper@$domain" team@mx.example.test
mta_holds "an alias reaches both accounts" arrived bob Team
is "$(copies amy Team)$(copies bob Team)" 11 "each once"
is "$(grep -h '^Delivered-To:' "$(found bob 'Subject: Team')")" \
	"Delivered-To: bob@mx.example.test" "under its own address"

# Exim's -N reads a message and delivers nothing.
script=$TEST_WORK/home/vmail/$domain/u1/.dovecot.sieve
cat >"$script" <<'END'
require "redirect-dsn";
redirect :notify "never" :ret "hdrs" "u2@virtual.example.test";
END
chown vmail: "$script"
message Forwarded | mta_send "keeper@$domain" "u1@$domain"
mta_holds "what is redirected with a wish leaves by Exim all the same" \
	arrived u2 Forwarded
rm "$script"

# -bd would not fork, as its parent is process 1.
exim4 -bdf -oP "$TEST_WORK/exim.pid" >"$TEST_WORK/log/exim-start" 2>&1 &
at_end "kill $! 2>/dev/null"
mta_holds "Exim serves SMTP" rcpt_says "u1@$domain"
mta_verifies "callout" exim
is "$(cat /var/log/exim4/* | grep -e ainted -e Malformed)$(ls \
	/var/log/exim4/paniclog 2>/dev/null)" "" \
	"Exim had nothing to complain of"
done_testing
