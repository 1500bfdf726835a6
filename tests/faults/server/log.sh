# The disk of the log is full.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

small_disk "$TEST_WORK/log" mode=1777,size=64k
conf log <<END
$static_users
END
server_start log
fill "$TEST_WORK/log"
is "$(python flood "$target" 50 a)" "250 50" \
	"a full disk of the log does not stop mail"
is "$(stored a)" 50 "all of it is filed"
ok "nor doorstep status" "$doorstep" -c "$TEST_WORK/log.conf" status
rm "$TEST_WORK/log/filler"
python send "$target" 10:later >/dev/null
like "$(cat "$TEST_WORK/log/log.log")" "*lmtp(later)*" \
	"with space the log goes on"
server_stop
is $? 0 "the server ends as it should"
