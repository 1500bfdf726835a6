# Mail that cannot be delivered: refused, or kept in Postfix's queue.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# bounce RECIPIENT: the report about it that Postfix sent to the sender.
bounce() {
	grep -l "^Final-Recipient:.*; $1" "$TEST_WORK"/record/* | xargs cat
}

message "To nobody" | smtp ada@client.example nobody-here@$domain
report=$(bounce nobody-here@$domain)
like "$report" "*
Status: 5.1.1*" "an unknown user bounces with 5.1.1"
like "$report" "*Diagnostic-Code: x-unix; *[a-zA-Z]*" \
	"the report has the program's own words"
is "$(postqueue -j | grep -c nobody-here)" 0 "and nothing stays in the queue"

# deferred RECIPIENT: why it is still in the queue, as "4.3.0 REASON".
deferred() {
	postqueue -j | grep -qF "\"address\": \"$1\"" || return
	grep -F "to=<$1>" "$TEST_WORK/log/postfix.log" | tail -n 1 |
		sed -n 's/.*dsn=\([0-9.]*\), status=deferred (\(.*\))$/\1 \2/p'
}
locked=$(home_of locked@$domain)
chown root "$locked"
chmod 700 "$locked"
message "Locked out" | smtp ada@client.example locked@$domain
reason=$(deferred locked@$domain)
like "$reason" "4.3.0 [A-Z]*" "an unreadable home keeps mail in the queue"
unlike "$reason" "*$TEST_WORK*" "the reason tells no paths"
chown vmail "$locked"
postqueue -f
wait_for 20 sh -c "ls $locked/Maildir/new/*"
is "$(fetch locked@$domain hdr.subject)" "Locked out" \
	"which delivers it once the home is right"

mkdir "$TEST_WORK/small"
mount -t tmpfs -o size=256k,mode=0755 none "$TEST_WORK/small"
at_end "umount -l $TEST_WORK/small"
install -d -o vmail -g vmail -m 700 "$TEST_WORK/small/full"
head -c 400000 /dev/urandom | base64 >body
message "Too much" "$(cat body)" | smtp ada@client.example full@$domain
like "$(deferred full@$domain)" "4.3.1 [A-Z]*" \
	"a full disk keeps mail in the queue, with its status"
is "$(find "$TEST_WORK/small" -type f | wc -l)" 0 \
	"and leaves no file behind"
message "Fits" | smtp ada@client.example full@$domain
is "$(find "$TEST_WORK/small/full/new" -type f | wc -l)" 1 \
	"a message that fits is taken"
rm body

message "Root" | smtp ada@client.example zero@$domain
is "$(count zero@$domain)" 0 "no mail is delivered as root"

message "Config" >sent
sed -i '1i no_such_setting = yes' "$TEST_WORK/virtual.conf"
smtp ada@client.example later@$domain <sent
sed -i 1d "$TEST_WORK/virtual.conf"
like "$(deferred later@$domain)" "4.3.5 [A-Z]*" \
	"a configuration in error keeps mail in the queue"
rm sent
postsuper -d ALL >/dev/null 2>&1
