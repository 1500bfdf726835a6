#!/bin/sh
# From a real Postfix by LMTP through doorstep-lmtpd into Maildirs that Dovecot
# reads.
#
#	tests/e2e/lmtp.sh
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh) and the
# Debian packages postfix, dovecot-imapd, python3.
#
# SPDX-License-Identifier: MIT
# Names come from the libraries below; no path of a test has a blank.
# shellcheck disable=SC2154
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"
. "$TEST_SOURCE/tests/e2e/postfix.sh"
. "$TEST_SOURCE/tests/e2e/dovecot.sh"

for program in postfix dovecot doveadm python3; do
	command -v $program >/dev/null || skip_all "no $program here"
done

machine_begin
install -d -m 1777 "$TEST_WORK/log"
machine_user doorstep 61080
machine_user doorstepd 61081
machine_user vmail 61090
machine_user amy 61091
machine_user bob 61092
domain=virtual.example.test

# Half of the fifty have an account.
{
	for number in $(seq 1 25); do
		echo "u$number@$domain::61090:61090::$TEST_WORK/home/vmail/u$number::"
	done
	echo "amy@example.test::61091:61091::$TEST_WORK/home/amy::"
	echo "keeper@$domain::61090:61090::$TEST_WORK/home/vmail/keeper::"
} >"$TEST_WORK/users"
cp "$TEST_WORK/users" "$TEST_WORK/readers"

postfix_begin "
virtual_mailbox_domains = $domain inet.example.test
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:private/doorstep
virtual_alias_maps = texthash:$TEST_WORK/aliases-virtual
transport_maps = texthash:$TEST_WORK/transport
mailbox_transport = lmtp:unix:private/doorstep
recipient_delimiter = +
lmtp_destination_recipient_limit = 50
address_verify_map =
unverified_recipient_reject_code = 550
unverified_recipient_reject_reason =
" "
lmtp      unix  - - y - - lmtp
verify    unix  - - n - 1 verify
2526      inet  n - n - - smtpd
  -o smtpd_recipient_restrictions=reject_unverified_recipient
"
echo "inet.example.test lmtp:inet:127.0.0.1:24" >"$TEST_WORK/transport"
echo "both@$domain u1@$domain, u2@$domain" >"$TEST_WORK/aliases-virtual"
echo "u26@inet.example.test u1@$domain" >>"$TEST_WORK/aliases-virtual"

server_conf e2e <<END
mail_location = maildir:~/Maildir
recipient_delimiter = +
lda_mailbox_autocreate = yes
lmtp_save_to_detail_mailbox = yes
namespace inbox {
  inbox = yes
  separator = /
}
service lmtp {
  unix_listener $TEST_WORK/queue/private/doorstep {
    mode = 0600
    user = postfix
    group = postfix
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = 24
  }
}
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
: >"$TEST_WORK/aliases"
server_start e2e
dovecot_begin

message() {
	cat <<END
From: Ada <ada@client.example>
To: somebody@example.test
Subject: $1
Message-ID: <$(echo "$1" | tr -cd 'A-Za-z0-9')@client.example>

${2:-A line of text.}
.a line with a dot
END
}

message Virtual | smtp ada@client.example "u1@$domain"
is "$(fetch "u1@$domain" "mailbox hdr.subject")" "INBOX Virtual" \
	"virtual_transport = lmtp:unix: reaches the mailbox, out of a chroot"
like "$(fetch "u1@$domain" body)" "*.a line with a dot*" \
	"dots come through"
# Postfix names the session of the reply: one grep joins both logs.
session=$(sed -n 's/.*250 2.0.0 <u1@[^>]*> \([^ ]*\) Saved.*/\1/p' \
	"$TEST_WORK/log/postfix.log" | head -n 1)
like "$(grep -F "$session" "$TEST_WORK/log/e2e.log")" \
	"*lmtp(u1@$domain)<*><$session>: Info: *saved mail to INBOX*" \
	"the session in Postfix' log is the one in ours"

message System | smtp ada@client.example amy@example.test
is "$(fetch amy "mailbox hdr.subject")" "INBOX System" \
	"mailbox_transport serves system users"
is "$(stat -c %U "$TEST_WORK"/home/amy/Maildir/cur/*)" amy \
	"whose mail is their own"

message Alias | smtp ada@client.example "both@$domain"
is "$(fetch "u1@$domain" hdr.subject "subject Alias")$(fetch "u2@$domain" \
	hdr.subject "subject Alias")" AliasAlias "an alias of two reaches both"

rm -rf "$TEST_WORK"/record/*
# shellcheck disable=SC2046 # many words
message Fifty | smtp ada@client.example $(seq -f "u%g@$domain" 1 50)
got=0
for number in $(seq 1 25); do
	[ "$(fetch "u$number@$domain" hdr.subject "subject Fifty")" = Fifty ] &&
		got=$((got + 1))
done
is "$got" 25 "25 of 50 recipients exist and have the message"
is "$(cat "$TEST_WORK"/record/* | grep -c '^Final-Recipient:')" 25 \
	"the other 25 are in a bounce"
is "$(cat "$TEST_WORK"/record/* | grep -c '^Status: 5.1.1')" 25 \
	"each with status 5.1.1"
is "$(find "$TEST_WORK/home/vmail" -type f -links 25 | wc -l)" 25 \
	"the 25 copies are one file"

message Detail | smtp ada@client.example "keeper+Lists@$domain"
is "$(fetch "keeper@$domain" "mailbox hdr.subject")" "INBOX Detail" \
	"a detail without a folder ends in the INBOX"
dovecot_admin mailbox create -u "keeper@$domain" lists/dev
message Nested | smtp ada@client.example "keeper+Lists/Dev@$domain"
is "$(fetch "keeper@$domain" "mailbox hdr.subject" "subject Nested")" \
	"lists/dev Nested" "a nested detail finds its folder, whatever the case"

message Null | smtp "" "u3@$domain"
like "$(fetch "u3@$domain" hdr.return-path "subject Null")" "<>" \
	"the null sender stays null"

# Recipient verification stops after RCPT and must not leave anything behind.
cat >"$TEST_WORK/verify.py" <<'END'
import smtplib
import sys
import time

for recipient in sys.argv[1:]:
    for _ in range(20):
        client = smtplib.SMTP("127.0.0.1", 2526)
        client.ehlo("client.example")
        client.mail("ada@client.example")
        code = client.rcpt(recipient)[0]
        client.quit()
        if code != 450:
            break
        time.sleep(0.5)
    print(recipient, code)
END
is "$(python3 "$TEST_WORK/verify.py" "u4@$domain" "u44@$domain")" \
	"u4@$domain 250
u44@$domain 550" "recipient verification knows who is there"

# A server that is away is no reason to lose anything.
server_stop
message Later | smtp ada@client.example "u5@$domain"
is "$(fetch "u5@$domain" hdr.subject "subject Later")" "" \
	"while the server is down mail waits in the queue"
server_start e2e
postqueue -f
wait_for 30 sh -c "[ -n \"\$(doveadm -c '$TEST_WORK/dovecot.conf' fetch \
	-u 'u5@$domain' hdr.subject subject Later)\" ]"
is "$(fetch "u5@$domain" hdr.subject "subject Later")" Later \
	"and comes when it is back"

server_stop
is $? 0 "the server ends with status 0"
is "$(grep -E 'Error|Panic|BUG' "$TEST_WORK/log/e2e.log")" "" \
	"nothing went wrong in it"
dovecot_is_content "Dovecot finds nothing wrong with what was filed"
postfix_took_all
done_testing
