# A user's own .forward that pipes to the program.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_user carl 61004
from_sample forward system >"$TEST_WORK/home/carl/.forward"
chown carl "$TEST_WORK/home/carl/.forward"
script carl <<'END'
require ["fileinto", "envelope"];
if envelope :localpart "from" "ada" { fileinto "Ada"; }
END
message "Forwarded" | smtp ada@client.example carl@example.test
is "$(fetch carl "mailbox hdr.subject")" "Ada Forwarded" \
	"a .forward without options files mail by the user's script"

echo "|\"$lda -c $TEST_WORK/system.conf -m Piped\"" \
	>"$TEST_WORK/home/carl/.forward"
message "With options" | smtp bea@client.example carl@example.test
is "$(fetch carl "mailbox hdr.subject" "subject options")" \
	"Piped With options" "a .forward may give options"
is "$(stat -c '%U %a' $(files carl .Piped))" "carl 600" \
	"and runs as the user"
