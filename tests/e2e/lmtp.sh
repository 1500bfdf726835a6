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

# The files of samples/ are used as they are, but for paths and numbers.
sample=$TEST_SOURCE/samples
with_our_paths() {
	sed "s|/etc/doorstep/users|$TEST_WORK/users|
		s|/var/spool/postfix|$TEST_WORK/queue|
		s|/srv/mail|$TEST_WORK/home/vmail|
		s|^\(mail_[ug]id = \)5000|\161090|
		s|/run/doorstep|$TEST_WORK/run-$1|
		s|/var/lib/doorstep|$TEST_WORK/state-$1|" "$2"
}
# sample_conf NAME FILE
sample_conf() {
	with_our_paths "$1" "$sample/$2" | server_conf "$1"
}

# Half of the fifty have an account.
{
	seq -f "u%g@$domain:::::::" 1 25
	echo "keeper@$domain:::::::"
	echo "brim@$domain:::::::userdb_quota_rule=*:storage=3K"
	grep -v "^#" "$sample/postfix/virtual/users"
} >"$TEST_WORK/users"
sed "s|^\([^@]*\)@[^:]*:.*|\1@$domain::61090:61090::$TEST_WORK/home/vmail/$domain/\1::|" \
	"$TEST_WORK/users" >"$TEST_WORK/readers"

# Both samples have a socket of the same name.
postfix_begin "
$(sed "/^virtual_mailbox_domains/s/\$/ inet.example.test/" \
	"$sample/postfix/lmtp-virtual/main.cf")
$(sed "s/doorstep/system/; /^recipient_delimiter/d" \
	"$sample/postfix/lmtp-system/main.cf")
virtual_mailbox_maps = static:all
virtual_alias_maps = texthash:$TEST_WORK/aliases-virtual
transport_maps = texthash:$TEST_WORK/transport
address_verify_map =
" "
lmtp      unix  - - y - - lmtp
verify    unix  - - n - 1 verify
2526      inet  n - n - - smtpd
  -o mynetworks=192.0.2.0/24
$(sed -n '/^[a-z]/s/.*/  -o { & }/p' "$sample/postfix/lmtp-verify.cf")
2527      inet  n - n - - smtpd
  -o mynetworks=192.0.2.0/24
$(sed -n '/^[a-z]/s/.*/  -o { & }/p' "$sample/postfix/quota-status.cf")
"
echo "inet.example.test $(sed -n 's/^#virtual_transport = //p' \
	"$sample/postfix/lmtp-virtual/main.cf")" >"$TEST_WORK/transport"
echo "both@$domain u1@$domain, u2@$domain" >"$TEST_WORK/aliases-virtual"
echo "team amy, bob" >"$TEST_WORK/aliases"

sample_conf system lmtp-system-users.conf
sed -i "s|private/doorstep|private/system|" "$TEST_WORK/system.conf"
server_start system
system_pid=$server_pid
sample_conf e2e lmtp-virtual-users.conf
echo "!include $sample/quota.conf" >>"$TEST_WORK/e2e.conf"
with_our_paths e2e "$sample/quota-status.conf" >>"$TEST_WORK/e2e.conf"
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

message Inet | smtp ada@client.example keeper@inet.example.test
is "$(grep -c 'to=<keeper@inet.*relay=127.0.0.1\[127.0.0.1\]:24.*status=bounced' \
	"$TEST_WORK/log/postfix.log")" 1 \
	"lmtp:inet: reaches the server, which knows no such user"
echo "keeper@inet.example.test:::::::" >>"$TEST_WORK/users"
message "Inet again" | smtp ada@client.example keeper@inet.example.test
is "$(find "$TEST_WORK/home/vmail/inet.example.test/keeper/Maildir/new" \
	-type f | wc -l)" 1 "until it is in the file of users"

# Accounts of the system.
message System | smtp ada@client.example Amy@example.test
is "$(fetch amy "mailbox hdr.subject")" "INBOX System" \
	"mailbox_transport serves system users, by the name before the @"
is "$(find "$TEST_WORK/home/amy/Maildir/new" "$TEST_WORK/home/amy/Maildir/cur" \
	-type f -printf '%u\n' | sort -u)" amy \
	"whose mail is their own"
dovecot_admin mailbox create -u amy lists
message Listed | smtp ada@client.example amy+lists@example.test
is "$(fetch amy "mailbox hdr.subject" "subject Listed")" "lists Listed" \
	"an extension comes through local(8)"
message Team | smtp ada@client.example team@example.test
is "$(fetch amy hdr.subject "subject Team")$(fetch bob hdr.subject \
	"subject Team")" TeamTeam "and so do the users of an alias"
message Low | smtp ada@client.example mail@example.test
like "$(cat "$TEST_WORK/log/system.log")" "*first_valid_uid*" \
	"accounts of the system get no mail"

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

# A full mailbox is refused at RCPT, and Postfix tells the sender.
filling=$(head -c 2000 /dev/zero | tr '\0' x | fold -w 70)
message Filling "$filling" | smtp ada@client.example "brim@$domain"
is "$(fetch "brim@$domain" hdr.subject)" Filling "a mailbox fills"
rm -rf "$TEST_WORK"/record/*
message Brimming "$filling" | smtp ada@client.example "brim@$domain"
like "$(grep "to=<brim@.*status=bounced" "$TEST_WORK/log/postfix.log")" \
	"*552 5.2.2 <brim@$domain> Quota exceeded*in reply to RCPT TO command*" \
	"until Postfix is refused at RCPT"
is "$(cat "$TEST_WORK"/record/* | grep -c '^Status: 5.2.2')" 1 \
	"and tells the sender that it is full"
is "$(fetch "brim@$domain" hdr.subject)" Filling "nothing was filed of it"
# Before a message is taken at all, where Postfix asks quota-status.
cat >"$TEST_WORK/policy.py" <<'END'
import smtplib
import sys

for words in sys.argv[1:]:
    recipient, size = words.split()
    client = smtplib.SMTP("127.0.0.1", 2527)
    client.ehlo("client.example")
    client.mail("ada@client.example", ["SIZE=" + size])
    code, text = client.rcpt(recipient)
    print(recipient, code, text.decode())
    client.quit()
END
policy=$(python3 "$TEST_WORK/policy.py" "u3@$domain 3000" "brim@$domain 3000" \
	"brim@$domain 100" "both@$domain 3000")
like "$policy" "u3@$domain 250 *
brim@$domain 554 5.2.2 <brim@$domain>: Recipient address rejected: Quota exceeded *
brim@$domain 250 *
both@$domain 250 *" "check_policy_service refuses who has no room, with the size" \
	"$policy"

message Small | smtp ada@client.example "brim@$domain"
is "$(fetch "brim@$domain" hdr.subject | tail -n 1)" Small \
	"a smaller message finds room"

message Small | smtp ada@client.example "brim@$domain"
is "$(fetch "brim@$domain" hdr.subject "subject Small")" Small \
	"a smaller message finds room"

# What a script refuses comes back to the sender, in the words of the script.
keeper=$TEST_WORK/home/vmail/$domain/keeper
refuse() {
	rm -rf "$TEST_WORK"/record/*
	printf 'require "%s";\n%s "%s";\n' "$1" "$1" "$2" >"$keeper/.dovecot.sieve"
	chown vmail: "$keeper/.dovecot.sieve"
	message Refused | smtp ada@client.example "keeper@$domain" "u7@$domain"
}
refuse ereject "I take no mail from you,
 not even on Sundays."
bounce=$(cat "$TEST_WORK"/record/*)
is "$(echo "$bounce" | head -n 1)" "Envelope: MAILER-DAEMON ada@client.example" \
	"Postfix bounces what a script refuses"
like "$bounce" "*550*5.7.1*<keeper@$domain>*I take no mail from you,*not*even*on Sundays.*Final-Recipient: rfc822; keeper@$domain*Action: failed*Status: 5.7.1*" \
	"with the words of the script and its status"
is "$(fetch "u7@$domain" hdr.subject "subject Refused")" Refused \
	"another recipient has the message"
is "$(fetch "keeper@$domain" hdr.subject "subject Refused")" "" \
	"who refuses it has not"
refuse reject "Schöne Grüße."
is "$(head -n 1 "$TEST_WORK"/record/*)" "Envelope: MAILER-DAEMON ada@client.example" \
	"a reason that a reply cannot say is mailed"
like "$(sed 1d "$TEST_WORK"/record/* |
	python3 "$TEST_SOURCE/tests/lib/report.py" mdn 2>&1)" \
	"*To: ada@client.example
*text: Your message to <keeper@$domain> was automatically rejected: / Schöne Grüße.
*> Disposition: automatic-action/MDN-sent-automatically; deleted
*" "as a disposition notification"
rm "$keeper/.dovecot.sieve"

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

# Other ways into the same server; what is added to main.cf counts from now on.
restart_with() {
	postfix stop >>"$TEST_WORK/log/postfix-start" 2>&1
	{
		cat "$TEST_WORK/postfix/main.cf" "$sample/postfix/$1"
		printf '%s\n' "$2"
	} >"$TEST_WORK/main.cf"
	cat "$TEST_WORK/main.cf" >"$TEST_WORK/postfix/main.cf"
	postfix start >>"$TEST_WORK/log/postfix-start" 2>&1
}
echo "ghost@example.test:::::::" >>"$TEST_WORK/users"
restart_with lmtp-fallback.cf "mailbox_transport ="
message Ghost | smtp ada@client.example ghost@example.test
is "$(find "$TEST_WORK/home/vmail/example.test/ghost/Maildir/new" -type f |
	wc -l)" 1 "fallback_transport serves who has no account"
restart_with lmtp-local.cf "fallback_transport ="
echo "team@example.test:::::::" >>"$TEST_WORK/users"
message Local | smtp ada@client.example team@example.test
is "$(find "$TEST_WORK/home/vmail/example.test/team/Maildir/new" -type f |
	wc -l)" 1 "local_transport looks at no aliases"

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
server_pid=$system_pid
server_stop
is $? 0 "and so does that of the system users"
is "$(server_errors e2e)$(server_errors system | grep -v first_valid_uid)" "" \
	"nothing went wrong in them"

# Without root, and as the first process of a container.
send() {
	printf '%s\r\n' "LHLO client.example" "MAIL FROM:<ada@client.example>" \
		"RCPT TO:<$2>" DATA "Subject: $3" "" "A line." . QUIT |
		"$lmtpd" --stdio "$1"
}
sample_conf one lmtp-one-user.conf
server_start one vmail
like "$(send 127.0.0.1:2400 "u6@$domain" "One user")" "*250 2.0.0 *Saved*" \
	"lmtp-one-user.conf serves as vmail"
is "$(fetch "u6@$domain" hdr.subject "subject One")" "One user" \
	"and what it files is there"
server_stop
is $? 0 "and ends with status 0"

sample_conf container container.conf
install -d -o vmail "$TEST_WORK/run-container" "$TEST_WORK/state-container"
machine_program doorstep-lmtpd "$lmtpd"
unshare --pid --fork --kill-child --mount-proc \
	setpriv --reuid=61090 --regid=61090 --clear-groups \
	"$TEST_WORK/bin/doorstep-lmtpd" -F -c "$TEST_WORK/container.conf" \
	2>"$TEST_WORK/log/container" &
container=$!
at_end "kill -9 $container 2>/dev/null"
wait_for 20 grep "Doorstep is running, process 1\$" "$TEST_WORK/log/container"
is $? 0 "container.conf logs to standard error, as process 1"
like "$(send 127.0.0.1:2400 "u7@$domain" "Container")" "*250 2.0.0 *Saved*" \
	"and delivers"
is "$(fetch "u7@$domain" hdr.subject "subject Container")" "Container" \
	"and what it files is there"
kill "$(pgrep -P $container)"
wait $container
is $? 0 "SIGTERM ends it with status 0"
dovecot_is_content "Dovecot finds nothing wrong with what was filed"
postfix_took_all
done_testing
