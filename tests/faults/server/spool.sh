# The place for long messages is full.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

small_disk "$TEST_WORK/spool" mode=1777,size=256k
conf spool <<END
mail_temp_dir = $TEST_WORK/spool
lmtp_memory_limit = 1M
$static_users
END
server_start spool
is "$(python send "$target" 3000000:a,b 10:c)" "a 452 4.3.1
b 452 4.3.1
c 250 2.0.0" "a full mail_temp_dir is 452 for each recipient, and the session goes on"
is "$(stored a)$(stored b)" 00 "nothing of the message is there"
mount -o remount,size=16m "$TEST_WORK/spool"
is "$(python send "$target" 3000000:a)" "a 250 2.0.0" \
	"with more space the message is taken"
is "$(find "$TEST_WORK/spool" -type f)" "" "and nothing stays in mail_temp_dir"
server_stop
is $? 0 "the server ends as it should"
