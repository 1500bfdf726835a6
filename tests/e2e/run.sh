#!/bin/sh
# From a real Postfix through doorstep-lda into Maildirs that Dovecot reads.
#
#	tests/e2e/run.sh [CASE...]
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh) and the
# Debian packages postfix, dovecot-imapd, python3.  CASE is a file of cases/
# without .sh.  DOORSTEP_LDA names another program to test.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/e2e/postfix.sh"
. "$TEST_SOURCE/tests/e2e/dovecot.sh"
. "$TEST_SOURCE/tests/e2e/users.sh"

for program in postfix dovecot doveadm python3 strace; do
	command -v $program >/dev/null || skip_all "no $program here"
done

machine_begin
install -d -m 1777 "$TEST_WORK/log"
machine_program doorstep-lda \
	"${DOORSTEP_LDA:-$TEST_BUILD/lda/doorstep-lda}"
users_begin
postfix_begin "$(users_main_cf)" "$(users_master_cf)"
dovecot_begin

cases=${*:-system environment forward pipe sieve messages imap mbox keywords metadata trouble privilege samples}
for case in $cases; do
	# shellcheck source=/dev/null # whichever was asked for
	. "$TEST_SOURCE/tests/e2e/cases/$case.sh"
done
postfix_took_all
done_testing
