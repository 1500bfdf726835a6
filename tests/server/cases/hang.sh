# A process that hangs is killed, and another one does its work.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf hang <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
lookup_timeout = 2 secs
userdb {
  driver = static
  args = allow_all_users=yes
}
END
rm -rf "$TEST_WORK"/home/vmail/*
server_start hang

# hang_delivers USER: mail for USER is taken.  wait_for calls it.
# shellcheck disable=SC2317
hang_delivers() {
	[ "$(timeout 20 python3 "$TEST_SOURCE/tests/server/deliver.py" \
		"$TEST_WORK/run-hang/lmtp" "$1" 2>&1)" = "$1 250" ]
}

ok "mail is taken" hang_delivers before
for hang_kind in state front; do
	hang_victim=$(server_processes $hang_kind)
	kill -STOP "$hang_victim"
	ok "$hang_kind that hangs is killed" wait_for 20 \
		grep -q "$hang_kind process $hang_victim did not answer" \
		"$TEST_WORK/log/hang.log"
	ok "and mail is taken again" wait_for 20 hang_delivers "$hang_kind"
done

hang_before=$(server_processes state),$(server_processes front)
kill -STOP "$server_pid"
sleep 5
kill -CONT "$server_pid"
sleep 2
is "$(server_processes state),$(server_processes front)" "$hang_before" \
	"a server that was stopped itself kills nobody"
ok "and goes on" hang_delivers stopped
server_stop
is $? 0 "it ends with status 0"
