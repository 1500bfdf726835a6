#!/bin/sh
# Who the user is and what the environment tells; an option always wins.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2046 # no path of a test has a blank
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# The script shows what the program took for its envelope.
envelope_script() {
	script <<'END'
require ["envelope", "fileinto", "mailbox", "variables", "subaddress"];
set "from" "none";
if envelope :matches "from" "*" { set "from" "${1}"; }
if envelope :matches "to" "*" { set "to" "${1}"; }
if string "${from}" "" { set "from" "null"; }
fileinto :create "${from}/${to}";
END
}
# seen: FROM/TO as the script saw it, or INBOX.
seen() {
	find "$home/Maildir" -path '*/new/*' -type f |
		sed "s|$home/Maildir/*||; s|/*new/.*||; s|^[.]||"
}
cat >>"$conf" <<'END'
mail_location = maildir:~/Maildir:LAYOUT=fs
namespace inbox {
  inbox = yes
  separator = /
}
END
# sees FROM/TO NAME OPTION...
sees() {
	expected=$1 name=$2
	shift 2
	fresh
	envelope_script
	lda "$@"
	is "$status $(seen)" "0 $expected" "$name"
}

base="USER=amy HOME=$home"
environment="$base SENDER=ada@client.example"
sees ada@client.example/amy@mx.example.test "SENDER is the sender"
sees bea@client.example/amy@mx.example.test "-f wins over SENDER" \
	-f bea@client.example
environment="$base SENDER="
sees null/amy@mx.example.test "an empty SENDER is the null sender"
for null in "" "<>" "<unknown>" MAILER-DAEMON "<MAILER-DAEMON>" mailer-daemon; do
	environment=$base
	sees null/amy@mx.example.test "-f '$null' is the null sender" -f "$null"
	is "$(grep -m 1 '^Return-Path:' $(find "$home/Maildir" -type f -path '*/new/*'))" \
		"Return-Path: <>" "-f '$null' is written as Return-Path: <>"
done
environment=$base
sees null/amy@mx.example.test "a broken -f is the null sender" -f "a b c"
sees MAILER-DAEMON@client.example/amy@mx.example.test \
	"MAILER-DAEMON at a domain is a sender" -f MAILER-DAEMON@client.example
sees ada/amy@mx.example.test "-f may be a local part" -f ada
sees a@b.example/amy@mx.example.test "-f may have brackets" -f "<a@b.example>"
environment="$base RECIPIENT=final@example.test ORIGINAL_RECIPIENT=orig@example.test"
sees null/orig@example.test "a script sees the original recipient"
sees null/a@example.test "-a wins over ORIGINAL_RECIPIENT" -a a@example.test
final() {
	fresh
	lda -o 'deliver_log_format=to %{to_envelope}' "$@"
	sed 's/.* to //' "$log"
}
is "$(final)" final@example.test "RECIPIENT is the final recipient"
is "$(final -r r@example.test)" r@example.test "-r wins over RECIPIENT"
environment="$base ORIGINAL_RECIPIENT=orig@example.test"
is "$(final)" orig@example.test "without it that is the original recipient"
environment="$base RECIPIENT=a@@b ORIGINAL_RECIPIENT=<<"
sees null/amy@mx.example.test "what is broken in the environment is passed over"

environment="HOME=$home"
fresh
lda
if [ "$lda_uid" -eq 61030 ]; then
	is "$status:$(everything)" 64:0 "a user id without a name, no USER: exit 64"
else
	ok "without USER the system's user name is used" test $status -eq 0
fi
environment="USER=amy"
fresh
lda -o "mail_home=$home"
is "$status:$(everything)" 0:1 "USER without HOME uses mail_home"
environment="USER=amy HOME=/nonexistent"
fresh
lda
is "$status:$(everything)" 75:0 "a HOME that cannot be made: exit 75"
environment="USER=a/b HOME=$home"
fresh
lda
ok "a USER with a slash is no user" test $status -ne 0
is "$(everything)" 0 "and gets no mail"
environment="USER=.. HOME=$home"
fresh
lda
ok "a USER of dots is no user" test $status -ne 0

# A program that is started sees nothing of the MTA's environment.
cat >bin/sendmail <<END
#!/bin/sh
env | sort >"$home/env"
cat >/dev/null
END
environment="USER=amy HOME=$home SENDER=ada@client.example LD_DEBUG_OUTPUT=x"
fresh
echo 'redirect "x@outside.example";' | script
lda
is "$(grep -E '^(SENDER|LD_DEBUG_OUTPUT|HOME)=' "$home/env")" "" \
	"the environment is cleaned"
fresh
echo 'redirect "x@outside.example";' | script
lda -k
is "$(grep -c '^LD_DEBUG_OUTPUT=x' "$home/env")" 1 "-k keeps it"
done_testing
