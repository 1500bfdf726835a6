# The log is rotated under load: no line is lost, and the old file is let go.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf rotate <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
rm -rf "$TEST_WORK"/home/vmail/*
server_start rotate
rotate_log=$TEST_WORK/log/rotate.log

# rotate_holders FILE: how many processes have it open.
rotate_holders() {
	find /proc/[0-9]*/fd -type l -lname "$1" 2>/dev/null | wc -l
}

rotate_is_free() {
	[ "$(rotate_holders "$1")" = 0 ]
}

rotate_lines() {
	cat "$rotate_log"* | grep -c 'saved mail to INBOX'
}

for rotate_seed in 1 2; do
	python load "$TEST_WORK/run-rotate/lmtp" 6 "$rotate_seed" \
		"rotate-$rotate_seed" >"$TEST_WORK/rotate-$rotate_seed" \
		2>>"$TEST_WORK/rotate-errors" &
	rotate_clients="${rotate_clients:-} $!"
done
sleep 1
is "$(rotate_holders "$rotate_log" | awk '{ print ($1 > 4) }')" 1 \
	"all processes have the log open"
for rotate_number in 1 2; do
	mv "$rotate_log" "$rotate_log.$rotate_number"
	ok "reload number $rotate_number is done" \
		"$doorstep" -c "$TEST_WORK/rotate.conf" reload
	ok "sessions of before go on, but nobody has the old file open" \
		wait_for 2 rotate_is_free "$rotate_log.$rotate_number"
	rotate_size=$(stat -c %s "$rotate_log.$rotate_number")
	sleep 1
	is "$(stat -c %s "$rotate_log.$rotate_number")" "$rotate_size" \
		"and it grows no more"
done
mv "$rotate_log" "$rotate_log.3"
echo "no_such_setting = 1" >>"$TEST_WORK/rotate.conf"
kill -HUP "$server_pid"
ok "a wrong configuration does not keep the old file open either" \
	wait_for 5 rotate_is_free "$rotate_log.3"
# shellcheck disable=SC2086
wait $rotate_clients
server_stop
is $? 0 "the server ends as it should"
is "$(rotate_lines)" "$(cat "$TEST_WORK"/rotate-[12] | wc -l)" \
	"each delivery has its line in one of the files"
