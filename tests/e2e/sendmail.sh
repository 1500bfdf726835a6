#!/bin/sh
# From a real Sendmail to doorstep-lmtpd and doorstep-lda, as samples/sendmail says.
#
#	tests/e2e/sendmail.sh [MAILER...]
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh), m4 and the
# packages that scripts/deps fetches.
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

command -v m4 >/dev/null || skip_all "no m4 here"
mta_unpack sendmail-bin
machine_begin
machine_user smmta 61070
machine_user smmsp 61071
mta_mount /var/lib -t tmpfs -o mode=755 tmpfs
install -d /var/lib/sendmail /run/sendmail/mta /var/spool/mqueue /etc/mail
mta_begin sendmail
# A busy machine is no reason to wait.
sendmail="/usr/libexec/sendmail/sendmail -Am -OQueueLA=9999 -ORefuseLA=9999"
echo "hosts files" >/etc/mail/service.switch
touch /etc/mail/local-host-names
ln -sf /etc/aliases /etc/mail/aliases
# Nobody of this host's own time is spent on names that nobody knows.
: >/etc/resolv.conf
mta_server sendmail

# sendmail_cf MAILER: virtual users by this one.
sendmail_cf() {
	mta_sample sendmail sendmail/sendmail.mc |
		sed "s|P=\([^ ]*\) -c [^,]*,|P=\1,|
			s|A=doorstep-lda|A=doorstep-lda -c $TEST_WORK/lda.conf|" \
			>/etc/mail/sendmail.mc
	mta_sample sendmail sendmail/mailertable |
		sed "s|doorstep:|$1:|" >/etc/mail/mailertable
	m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf &&
		/usr/libexec/sendmail/makemap hash /etc/mail/mailertable \
			</etc/mail/mailertable
}
mta_send() {
	sendmail_from=$1
	shift
	$sendmail -odi -i -f "$sendmail_from" "$@"
}
mta_retry() {
	$sendmail -q
}
mta_waits() {
	$sendmail -bp | grep -F "$1"
}
mta_trouble() {
	$sendmail -bp
	tail -n 15 "$TEST_WORK"/log/*
}

ways=${*:-doorstep doorstep-tcp doorstep-lda}
for way in $ways; do
	ok "sendmail.mc is right with $way" sendmail_cf "$way"
	# shellcheck disable=SC2086 # several words
	ok "and Sendmail reads it, and the aliases" $sendmail -bi
	mta_ways "$way"
	[ "$way" = doorstep-lda ] || mta_outage "$way" sendmail
done

message Account | mta_send "keeper@$domain" amy@mx.example.test
mta_holds "local_lmtp: an account's mail is delivered" arrived amy Account
is "$(find "$(folder_of amy)/new" -type f -printf '%u\n')" amy \
	"local_lmtp: as this account"
message Team | mta_send "keeper@$domain" team@mx.example.test
mta_holds "local_lmtp: an alias reaches both accounts" arrived bob Team
is "$(copies amy Team)$(copies bob Team)" 11 "local_lmtp: each once"
done_testing
