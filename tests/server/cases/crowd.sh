# Ten thousand connections, and what an idle thousand costs.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf crowd <<END
mail_home = $TEST_WORK/home/vmail/crowd/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
lmtp_max_connections = 10000
userdb {
  driver = static
  args = allow_all_users=yes
}
END
server_start crowd
crowd_out=$(python crowd "$TEST_WORK/run-crowd/lmtp" 10000 "$server_pid" 2>&1)
diag "$crowd_out"
like "$crowd_out" "*1000 greeted*" "a thousand clients are greeted"
is "$(echo "$crowd_out" | awk '/^PSS [0-9]/ { print ($2 < 60000) }')" 1 \
	"which all together take less than 60 MB"
like "$crowd_out" "*10000 greeted*" "so are ten thousand"
like "$crowd_out" "*one more: 421 4.3.2*" "one more is told to come again"
like "$crowd_out" "*delivered 250*" "among them mail is delivered"
server_stop
is $? 0 "and the server ends as it should"
