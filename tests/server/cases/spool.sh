# mbox in a spool that belongs to a group, such as /var/mail.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

mkdir "$TEST_WORK/spool"
chown root:mail "$TEST_WORK/spool"
chmod 2775 "$TEST_WORK/spool"
server_conf spool <<END
mail_location = mbox:~/mail:INBOX=$TEST_WORK/spool/%u
mail_privileged_group = mail
userdb {
  driver = passwd
}
END
server_start spool
is "$(python deliver "$TEST_WORK/run-spool/lmtp" amy bob)" "amy 250
bob 250" "mail goes into a spool of mode 2775 that belongs to the group mail"
is "$(python deliver "$TEST_WORK/run-spool/lmtp" amy)" "amy 250" \
	"and again, from the same worker"
is "$(grep -c '^From ' "$TEST_WORK/spool/amy")" 2 "both are there"
is "$(stat -c '%U %G %a' "$TEST_WORK/spool/amy")" "amy mail 600" \
	"the INBOX is the user's, its group the spool's"
is "$(find "$TEST_WORK/spool" -type f -printf '%f ' | tr ' ' '\n' | sort |
	tr '\n' ' ' | sed 's/^ //')" "amy bob " "and no lock is left"
for spool_pid in $(server_processes worker); do
	sed -n 's/^Gid:[[:space:]]*//p' "/proc/$spool_pid/status"
done | tr '\t' ' ' | sort >"$TEST_WORK/spool-gids"
is "$(cat "$TEST_WORK/spool-gids")" "61091 61091 8 61091
61092 61092 8 61092" "the group waits as the saved group id"
server_stop
is $? 0 "the server ends as it should"
