# Started as root and started as a user: who runs as whom.
# SPDX-License-Identifier: MIT
# Names come from ../../lib/server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

# uids_of KIND: the uids of its processes, real effective saved file system.
uids_of() {
	for uids_pid in $(server_processes "$1"); do
		sed -n 's/^Uid:[[:space:]]*//p' "/proc/$uids_pid/status" |
			tr '\t' ' '
	done | sort -u
}

groups_of() {
	for groups_pid in $(server_processes "$1"); do
		sed -n 's/^Groups:[[:space:]]*//p' "/proc/$groups_pid/status"
	done | sort -u | sed 's/ *$//'
}

server_conf root <<END
mail_location = maildir:~/Maildir
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 24
  }
  unix_listener lmtp {
    mode = 0666
  }
}
userdb {
  driver = passwd
}
END
server_start root
is "$(python deliver 127.0.0.1:24 amy bob)" "amy 250
bob 250" "as root the server delivers to two system users in one transaction"
is "$(stat -c %u "$TEST_WORK"/home/amy/Maildir/new/*)" 61091 \
	"each message belongs to its user"
is "$(stat -c %u "$TEST_WORK"/home/bob/Maildir/new/*)" 61092 \
	"also that of the other one"
is "$(uids_of front)" "61080 61080 61080 61080" \
	"the front is default_login_user in every way"
is "$(uids_of lookup)" "61081 61081 61081 61081" \
	"lookup is default_internal_user"
is "$(uids_of state)" "61081 61081 61081 61081" "so is state"
is "$(uids_of worker)" "61091 61091 61091 61091
61092 61092 61092 61092" "there is a worker for each recipient, as that user"
unlike " $(groups_of front) $(groups_of worker) " "* 0 *" \
	"none of them is in root's group"
like "$(OPTIONS=-v python deliver 127.0.0.1:24 root)" \
	"root 451*451 4.3.5 <root> *" \
	"mail for root is refused for now, by master"
like "$(cat "$TEST_WORK/log/root.log")" "*root*uid*" "and the log says why"
ok "doorstep status answers" "$doorstep" -c "$TEST_WORK/root.conf" status
server_stop
is $? 0 "the server ends with status 0"

server_conf user <<END
mail_home = $TEST_WORK/home/vmail/%u
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
server_start user vmail
is "$(python deliver "$TEST_WORK/run-user/lmtp" one two)" "one 250
two 250" "as a user the server delivers to that user's mailboxes"
is "$(for kind in front lookup state worker; do uids_of $kind; done |
	sort -u)" "61090 61090 61090 61090" "and all its processes are that user"
server_stop
is $? 0 "it ends with status 0 as well"

server_conf keeper </dev/null
server_start keeper
server_conf intruder </dev/null
sed -i "s#^state_dir = .*#state_dir = $TEST_WORK/state-keeper#" \
	"$TEST_WORK/intruder.conf"
"$lmtpd" -F -c "$TEST_WORK/intruder.conf" >"$TEST_WORK/log/intruder-out" 2>&1
is $? 69 "a second server of the same state_dir does not start"
like "$(cat "$TEST_WORK/log/intruder.log")" \
	"*The server ends: *state_dir ($TEST_WORK/state-keeper)*" \
	"and names the state_dir in the log"
server_stop
