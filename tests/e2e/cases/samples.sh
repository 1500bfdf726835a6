# The other files of samples/ do what they say.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_program doorstep "$TEST_BUILD/ctl/doorstep"
machine_user sam 61011
message "Sample" >sent

# placed FILE: a sample with the test's own paths.
placed() {
	sed "s|/etc/doorstep/users|$TEST_WORK/users|
		s|/etc/doorstep/sieve|$TEST_WORK/sieve|
		s|/srv/mail|$TEST_WORK/home/vmail|" \
		"$TEST_SOURCE/samples/$1" >"$TEST_WORK/$1"
	echo "log_path = $TEST_WORK/log/lda.log" >>"$TEST_WORK/$1"
}
for conf in doorstep.conf system-users.conf virtual-users.conf; do
	placed $conf
	ok "$conf passes its check" \
		"$TEST_WORK/bin/doorstep" -c "$TEST_WORK/$conf" config check
done
for kind in system virtual; do
	ok "postfix/$kind/doorstep.conf passes its check" \
		"$TEST_WORK/bin/doorstep" -c "$TEST_WORK/$kind.conf" config check
done

ok "doorstep.conf delivers" "$lda" -c "$TEST_WORK/doorstep.conf" -d sam -p sent
ok "system-users.conf delivers" \
	"$lda" -c "$TEST_WORK/system-users.conf" -d sam -p sent
is "$(count sam)" 2 "to the user's home"
ok "system-users.conf knows no accounts of the system" \
	test "$("$lda" -c "$TEST_WORK/system-users.conf" -d postfix -p sent \
		>/dev/null 2>&1; echo $?)" -ne 0

mkdir -p "$TEST_WORK/sieve/before.d"
echo 'require "fileinto"; if header "subject" "Sample" { fileinto "Junk"; }' \
	>"$TEST_WORK/sieve/before.d/junk.sieve"
ok "virtual-users.conf delivers" "$lda" -c "$TEST_WORK/virtual-users.conf" \
	-d "amy+detail@$domain" -p sent
is "$(fetch amy@$domain "mailbox hdr.subject")" "Junk Sample" \
	"by the admin's script"
is "$(dovecot_admin mailbox list -u amy@$domain -s)" Junk \
	"into a folder that the configuration makes and subscribes"
rm sent
