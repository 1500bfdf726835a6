#!/bin/sh
# From a real OpenSMTPD to doorstep-lmtpd and doorstep-lda, as samples/opensmtpd says.
#
#	tests/e2e/opensmtpd.sh [ACTION...]
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh) and the packages
# that scripts/deps fetches.
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

mta_unpack opensmtpd
machine_begin
machine_user opensmtpd 61070
machine_user opensmtpq 61071
mta_mount /var/lib -t tmpfs -o mode=755 tmpfs
mkdir -p /var/lib/opensmtpd/empty
chgrp opensmtpq /usr/sbin/smtpctl
chmod 2555 /usr/sbin/smtpctl
mta_begin opensmtpd
mta_server opensmtpd

smtpd_stop() {
	kill "$smtpd_pid" && wait "$smtpd_pid"
}
# smtpd_start ACTION [DESTINATION]: the sample, virtual users by this action.
smtpd_start() {
	mta_sample opensmtpd opensmtpd/smtpd.conf |
		sed "s|action \"virtual\"\$|action \"$1\"|
			s|lmtp \"/[^\"]*\"|lmtp \"${2:-$TEST_WORK/run-opensmtpd/lmtp}\"|" \
			>/etc/smtpd.conf
	ok "smtpd.conf is right with $way" smtpd -n
	smtpd -d >>"$TEST_WORK/log/smtpd" 2>&1 &
	smtpd_pid=$!
	at_end "kill $smtpd_pid 2>/dev/null"
	wait_for 20 smtpctl show stats || { mta_trouble; bail_out "smtpd does not start"; }
}
mta_send() {
	smtpd_sender=$1
	shift
	sendmail -i -f "$smtpd_sender" "$@"
}
mta_retry() {
	smtpctl schedule all
}
mta_waits() {
	smtpctl show queue | grep -F "$1"
}
mta_trouble() {
	tail -n 25 "$TEST_WORK"/log/*
}

# 451 of one recipient is this mail's matter.
relay_waits_for_a_user() {
	sed -i "s|^\(later@.*\)::.*|\1::userdb_mail=maildir:/dev/null/nowhere|" \
		"$TEST_WORK/users"
	message "relay Later" | mta_send "keeper@$domain" "later@$domain"
	mta_holds "relay: 451: the mail waits" mta_waits "later@$domain"
	message "relay Meanwhile" | mta_send "keeper@$domain" "u1@$domain"
	mta_holds "relay: others' mail does not" arrived u1 "relay Meanwhile"
	sed -i "s|^\(later@.*\)::.*|\1::|" "$TEST_WORK/users"
	mta_retry
	mta_holds "relay: and is filed later" arrived later "relay Later"
}
# The session that it keeps open is told 421.
relay_outage() {
	server_stop
	message "relay Outage" | mta_send "keeper@$domain" "u1@$domain"
	mta_holds "relay: while the server is down mail waits" \
		mta_waits "421 4.3.2"
	server_start opensmtpd
	# It leaves a route alone for a time, unless told otherwise.
	smtpctl resume route 1 >>"$TEST_WORK/log/routes" 2>&1
	mta_retry
	mta_holds "relay: and comes when it is back" relay_comes
}
relay_comes() {
	smtpctl show routes >>"$TEST_WORK/log/routes" 2>&1
	mta_retry >/dev/null 2>&1
	arrived u1 "relay Outage"
}

ways=${*:-relay unix inet mda}
for way in $ways; do
	case $way in
	mda) smtpd_start virtual ;;
	relay) smtpd_start virtual-relay ;;
	unix) smtpd_start virtual-lmtp ;;
	inet) smtpd_start virtual-lmtp 127.0.0.1:24 ;;
	esac
	mta_arrives "$way"
	case $way in
	mda) mta_fates "$way" ;;
	relay)
		message "$way Nobody" | mta_send "keeper@$domain" "nobody@$domain"
		mta_holds "$way: 550 is a refusal" bounced "$way Nobody" 5.1.1
		relay_waits_for_a_user
		relay_outage
		;;
	*)
		message "$way Nobody" | mta_send "keeper@$domain" "nobody@$domain"
		mta_holds "$way: mail.lmtp takes 550 for a temporary failure" \
			mta_waits "550 5.1.1"
		mta_outage "$way" opensmtpd
		;;
	esac
	[ "$way" = mda ] || smtpd_stop
done

message Account | mta_send "keeper@$domain" amy@mx.example.test
mta_holds "an account's mail is delivered" arrived amy Account
is "$(find "$(folder_of amy)/new" -type f -printf '%u\n')" amy \
	"by doorstep-lda as this account"
message Team | mta_send "keeper@$domain" team@mx.example.test
mta_holds "an alias reaches both accounts" arrived bob Team
is "$(copies amy Team)$(copies bob Team)" 11 "each once"
done_testing
