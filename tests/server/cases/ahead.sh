# process_min_avail: workers that are there before anybody has mail.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

# ahead_conf UID: of all users.
ahead_conf() {
	server_conf ahead <<END
mail_home = $TEST_WORK/home/vmail/%n
mail_location = maildir:~/Maildir
mail_uid = $1
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  process_min_avail = 2
  unix_listener lmtp {
    mode = 0666
  }
}
END
}

ahead_uids() {
	for ahead_pid in $(server_processes worker); do
		stat -c %u "/proc/$ahead_pid"
	done | tr '\n' ' '
}

# Two workers of this uid and none else.
ahead_are() {
	[ "$(ahead_uids)" = "$1 $1 " ]
}

rm -rf "$TEST_WORK"/home/vmail/*
ahead_conf vmail
server_start ahead
ok "two workers of mail_uid are started ahead" wait_for 5 ahead_are 61090
ahead_before=$(server_processes worker | sort | tr '\n' ' ')
is "$(python deliver "$TEST_WORK/run-ahead/lmtp" one)" "one 250" \
	"the first message finds one"
is "$(server_processes worker | sort | tr '\n' ' ')" "$ahead_before" \
	"and no other is started for it"
kill -9 "$(server_processes worker | head -n 1)"
ok "one that dies is replaced" wait_for 5 ahead_are 61090
ahead_conf amy
chown 61091 "$TEST_WORK/home/vmail"
"$doorstep" -c "$TEST_WORK/ahead.conf" reload
ok "after a reload there are two of the new mail_uid" wait_for 10 ahead_are 61091
chown 61090 "$TEST_WORK/home/vmail"
ahead_conf %n
"$doorstep" -c "$TEST_WORK/ahead.conf" reload
ahead_none() {
	[ -z "$(server_processes worker)" ]
}
ok "where it depends on the user none is started" wait_for 10 ahead_none
server_stop
is $? 0 "the server ends as it should"
