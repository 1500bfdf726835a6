#!/bin/sh
# Cyrus' LMTP clients, and what qmail's preline writes.
#
#	tests/e2e/clients.sh
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh) and the packages
# that scripts/deps fetches.  Debian has no qmail: samples/qmail is run as qmail-local
# would, with a preline that writes what qmail's does.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"
. "$TEST_SOURCE/tests/lib/mta.sh"
. "$TEST_SOURCE/tests/e2e/mta.sh"

mta_unpack cyrus-clients
machine_begin
machine_user cyrus 61070
mta_begin opensmtpd
sed "s/^vmail:.*/&cyrus/" /etc/group >"$TEST_WORK/group"
cat "$TEST_WORK/group" >/etc/group
mta_server opensmtpd

install -d -o cyrus "$TEST_WORK/cyrus"
cat >/etc/imapd.conf <<END
configdirectory: $TEST_WORK/cyrus
defaultpartition: default
partition-default: $TEST_WORK/cyrus
lmtpsocket: $TEST_WORK/run-opensmtpd/lmtp
END
deliver() {
	setpriv --reuid=cyrus --regid=cyrus --init-groups \
		/usr/lib/cyrus/bin/deliver "$@"
}
message Deliver >"$TEST_WORK/deliver"
exits 0 "Cyrus deliver: exit status 0 for what is filed" \
	deliver -r "keeper@$domain" "u1@$domain" <"$TEST_WORK/deliver"
is "$(copies u1 Deliver)" 1 "Cyrus deliver: and it is there"
exits 65 "Cyrus deliver: exit status 65 for an unknown user" \
	deliver -r "keeper@$domain" "nobody@$domain" <"$TEST_WORK/deliver"
exits 75 "Cyrus deliver: exit status 75 for 451" \
	deliver -r "keeper@$domain" "later@$domain" <"$TEST_WORK/deliver"
exits 65 "Cyrus deliver: exit status 65 for a full mailbox" \
	deliver -r "keeper@$domain" "brim@$domain" <"$TEST_WORK/deliver"
exits 65 "Cyrus deliver: exit status 65 for what a script refuses" \
	deliver -r "keeper@$domain" "refuser@$domain" <"$TEST_WORK/deliver"
install -d -o vmail -g vmail "$(folder_of u2)" "$(folder_of u2)/.lists" \
	"$(folder_of u2)/.lists/cur" "$(folder_of u2)/.lists/new" \
	"$(folder_of u2)/.lists/tmp" "$(folder_of u2)/cur" \
	"$(folder_of u2)/new" "$(folder_of u2)/tmp"
deliver -r "keeper@$domain" "u2+lists@$domain" <"$TEST_WORK/deliver"
is "$(copies u2 Deliver lists)" 1 "Cyrus deliver: user+folder is the folder"

like "$(printf 'MAIL FROM:<keeper@%s>\r\nRCPT TO:<u1@%s>\r\nQUIT\r\n' $domain \
	$domain | timeout 20 /usr/lib/cyrus/bin/lmtptest -p 24 127.0.0.1 2>&1)" \
	"*250 2.1.0 *250 2.1.5 *221 2.0.0 *" "Cyrus lmtptest speaks with the server"

# qmail-local runs the line by sh, in the home, as the user.
preline=$TEST_WORK/bin/preline
cat >"$preline" <<'END'
#!/bin/sh
[ "$1" = -f ] && shift
{ printf '%s%s' "$RPLINE" "$DTLINE"; cat; } | "$@"
END
chmod 755 "$preline"
qmail_line=$(mta_sample opensmtpd qmail/dot-qmail | sed -n 's/^|//p' |
	sed "s|/var/qmail/bin/preline|$preline|")
line_end='
'
# qmail_local LOCAL <MESSAGE: the status of the line.
qmail_local() {
	setpriv --reuid=vmail --regid=vmail --clear-groups env -i PATH="$PATH" \
		USER=vmail HOME="$TEST_WORK/home/vmail" HOST=$domain \
		LOCAL="vmail-$1" EXT="$1" DEFAULT="$1" SENDER="keeper@$domain" \
		RECIPIENT="vmail-$1@$domain" \
		RPLINE="Return-Path: <keeper@$domain>$line_end" \
		DTLINE="Delivered-To: vmail-$1@$domain$line_end" \
		sh -c "$qmail_line"
}
message Qmail >"$TEST_WORK/qmail"
exits 0 "qmail: exit status 0 for what is filed" \
	qmail_local u1 <"$TEST_WORK/qmail"
is "$(copies u1 Qmail)" 1 "qmail: and it is there"
is "$(grep '^Return-Path:' "$(found u1 "Subject: Qmail")")" \
	"Return-Path: <keeper@$domain>" "qmail: with one Return-Path"
exits 100 "qmail: exit status 100 for an unknown user" \
	qmail_local nobody <"$TEST_WORK/qmail"
exits 111 "qmail: exit status 111 for temporary trouble" \
	qmail_local later <"$TEST_WORK/qmail"
# What docs/coming-from.md puts in the place of procmail's recipes.
{
	echo 'require ["fileinto", "copy", "reject"];'
	sed -n '/^## From procmail/,/^## From Cyrus/s/^| .* | `\([^|]*;.*\)` |$/\1/p' \
		"$TEST_SOURCE/docs/coming-from.md"
} >"$TEST_WORK/recipes.sieve"
is "$(wc -l <"$TEST_WORK/recipes.sieve")" 7 "docs/coming-from.md has six recipes"
ok "and they are Sieve" "$doorstep" sieve check "$TEST_WORK/recipes.sieve"
done_testing
