# Clients that want too much.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

mkdir -m 1777 "$TEST_WORK/temporary"
conf large <<END
mail_temp_dir = $TEST_WORK/temporary
message_max_size = 200M
lmtp_memory_limit = 16M
$static_users
END
server_start large
python send "$target" 10:first >/dev/null
is "$(python large "$target" command)" "500 5.5.2
250 2.0.0" "a command of 1 MB is refused, and the session goes on"
is "$(python large "$target" line)" "250 2.0.0" \
	"a message with a line of 1 MB is taken"
is "$(awk '/^xx/ { print length($0) }' "$mails"/line/Maildir/new/*)" 1048576 \
	"as it is"
is "$(python large "$target" recipients)" "1000 of 250 2.1.5
9000 of 452 4.5.3
1000 of 250 2.0.0" "of 10,000 recipients 1,000 are taken, the others told to come later"
large_said=$(python large "$target" message "$server_pid")
diag "$large_said"
like "$large_said" "*250 2.0.0*" "a message of 100 MB is taken"
is "$(stat -c '%s' "$mails"/message/Maildir/new/* |
	awk '{ print ($1 > 100000000) }')" 1 "whole"
is "$(echo "$large_said" | awk '/^PSS/ { print ($2 < 32768) }')" 1 \
	"by processes that need less than 32 MB all together"
is "$(find "$TEST_WORK/temporary" -type f)" "" "nothing stays in mail_temp_dir"
server_stop
is $? 0 "the server ends as it should"
