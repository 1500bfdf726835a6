# The other files of samples/ do what they say.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_program doorstep "$TEST_BUILD/ctl/doorstep"
machine_user sam 61011
message "Sample" >sent

# placed FILE: a sample with the test's own paths.
placed() {
	with_our_paths virtual <"$sample/$1" >"$TEST_WORK/$1"
	echo "log_path = $TEST_WORK/log/lda.log" >>"$TEST_WORK/$1"
}
for conf in doorstep.conf system-users.conf virtual-users.conf; do
	placed $conf
	ok "$conf passes its check" \
		"$TEST_WORK/bin/doorstep" -c "$TEST_WORK/$conf" config check
done
ok "doorstep.conf delivers" "$lda" -c "$TEST_WORK/doorstep.conf" -d sam -p sent
ok "system-users.conf delivers" \
	"$lda" -c "$TEST_WORK/system-users.conf" -d sam -p sent
is "$(count sam)" 2 "to the user's home"
ok "system-users.conf has no mail with -d for accounts of the system" \
	test "$("$lda" -c "$TEST_WORK/system-users.conf" -d postfix -p sent \
		>/dev/null 2>&1; echo $?)" -eq 75
mkdir low
chown mail low
ok "and without -d for whoever runs it" setpriv --reuid=mail --regid=mail \
	--clear-groups env USER=mail HOME="$PWD/low" \
	"$lda" -c "$TEST_WORK/system-users.conf" -o mail_location=maildir:~/M <sent
is "$(find low/M/new -type f | wc -l)" 1 "who then has it"
rm -r low

mkdir -p "$TEST_WORK/sieve/before.d"
echo 'require "fileinto"; if header "subject" "Sample" { fileinto "Junk"; }' \
	>"$TEST_WORK/sieve/before.d/junk.sieve"
like "$("$TEST_WORK/bin/doorstep" -c "$TEST_WORK/virtual-users.conf" \
	user "amy@$domain")" "*vmail/$domain/amy*" \
	"virtual-users.conf knows the user"
ok "virtual-users.conf delivers" "$lda" -c "$TEST_WORK/virtual-users.conf" \
	-d "amy+detail@$domain" -p sent
is "$(fetch amy@$domain "mailbox hdr.subject")" "Junk Sample" \
	"by the admin's script"
is "$(dovecot_admin mailbox list -u amy@$domain -s)" Junk \
	"into a folder that the configuration makes and subscribes"
rm sent
