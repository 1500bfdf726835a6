# The file with the users vanishes for a while.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

echo "amy::61090:61090::$TEST_WORK/home/vmail/users/amy::" >"$TEST_WORK/users"
conf users <<END
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
server_start users
is "$(python send "$target" 10:amy,bob)" "amy 250 2.0.0
bob 550 5.1.1" "with the file a user is known or unknown"
mv "$TEST_WORK/users" "$TEST_WORK/gone"
is "$(python send "$target" 10:amy,bob)" "amy 451 4.3.0
bob 451 4.3.0" "without it nobody is called unknown"
like "$(cat "$TEST_WORK/log/users.log")" "*Error: *$TEST_WORK/users*" \
	"the log names the file"
mkdir "$TEST_WORK/users"
is "$(python send "$target" 10:amy,bob)" "amy 451 4.3.0
bob 451 4.3.0" "nor with a folder in its place"
rmdir "$TEST_WORK/users"
mv "$TEST_WORK/gone" "$TEST_WORK/users"
is "$(python send "$target" 10:amy,bob)" "amy 250 2.0.0
bob 550 5.1.1" "when it is back, so are the users"
server_stop
is $? 0 "the server ends as it should"
