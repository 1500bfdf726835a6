#!/bin/sh
# Out again through a real Postfix: the mailer hands redirects, answers and
# notifications over by SMTP with STARTTLS and SASL, as samples/submission.conf says.
#
#	tests/e2e/leaving.sh
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh) and the
# Debian packages postfix, dovecot-core (SASL), openssl, python3, and postsrsd, which
# scripts/deps fetches.
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

for program in postfix dovecot openssl python3; do
	command -v $program >/dev/null || skip_all "no $program here"
done

debs=$("$TEST_SOURCE/scripts/deps" --mtas)/postsrsd
[ -d "$debs" ] || skip_all "no $debs here: run scripts/deps"

machine_begin
install -d -m 1777 "$TEST_WORK/log"
machine_user doorstep 61080
machine_user doorstepd 61081
machine_user doorstepm 61082
machine_user vmail 61090
domain=virtual.example.test
sample=$TEST_SOURCE/samples
mail=$TEST_WORK/home/vmail/$domain
for name in amy loop1 loop2; do
	echo "$name@$domain:::::::"
done >"$TEST_WORK/users"

# ---- the relay ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=localhost" -addext subjectAltName=DNS:localhost \
	-keyout "$TEST_WORK/key.pem" -out "$TEST_WORK/cert.pem" 2>/dev/null
cat >"$TEST_WORK/access" <<END
refused@elsewhere.example 550 5.1.1 nobody of that name
later@elsewhere.example 450 4.7.1 come again
END
postfix_begin "
$(cat "$sample/postfix/lmtp-virtual/main.cf")
virtual_mailbox_maps = static:all
record_destination_recipient_limit = 1
smtpd_tls_cert_file = $TEST_WORK/cert.pem
smtpd_tls_key_file = $TEST_WORK/key.pem
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
recipient_canonical_maps = tcp:127.0.0.1:10002
recipient_canonical_classes = envelope_recipient
" "
lmtp      unix  - - y - - lmtp
tlsmgr    unix  - - n 1000? 1 tlsmgr
587       inet  n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=check_recipient_access,texthash:$TEST_WORK/access,permit_sasl_authenticated,reject
"

# ---- who takes bounces back ----

dpkg-deb -x "$debs"/postsrsd_*.deb "$TEST_WORK/postsrsd"
echo rain >"$TEST_WORK/srs-secret"
"$TEST_WORK/postsrsd/usr/sbin/postsrsd" -4 -s"$TEST_WORK/srs-secret" \
	-dexample.test >"$TEST_WORK/log/postsrsd" 2>&1 &
at_end "kill $! 2>/dev/null"
# srs WAY ADDRESS: what it makes of it; there or back.
srs() {
	case $1 in
	there) postmap -q "$2" tcp:127.0.0.1:10001 ;;
	back) postmap -q "$2" tcp:127.0.0.1:10002 ;;
	esac
}
wait_for 10 srs there ada@client.example || bail_out "postsrsd does not start"

# ---- who knows passwords ----

mkdir "$TEST_WORK/run"
mount -t tmpfs -o mode=755 tmpfs /var/lib/dovecot ||
	bail_out "cannot mount /var/lib/dovecot"
at_end "umount -l /var/lib/dovecot"
cat >"$TEST_WORK/dovecot.conf" <<END
base_dir = $TEST_WORK/run
log_path = $TEST_WORK/log/dovecot.log
protocols =
ssl = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = $TEST_WORK/relay-users
}
userdb {
  driver = static
  args = uid=61090 gid=61090 home=/nonexistent
}
service auth {
  unix_listener $TEST_WORK/queue/private/auth {
    mode = 0666
  }
}
END
echo "mx:{PLAIN}s3cret" >"$TEST_WORK/relay-users"
dovecot -c "$TEST_WORK/dovecot.conf" >"$TEST_WORK/log/dovecot-start" 2>&1 || {
	diag "$(cat "$TEST_WORK/log/dovecot-start")"
	bail_out "Dovecot does not start"
}
at_end "doveadm -c $TEST_WORK/dovecot.conf stop 2>/dev/null"

# ---- the server ----

echo s3cret >"$TEST_WORK/relay-password"
chmod 600 "$TEST_WORK"/relay-password "$TEST_WORK"/srs-secret
chown doorstepm "$TEST_WORK"/relay-password "$TEST_WORK"/srs-secret
chmod 644 "$TEST_WORK/cert.pem"
with_our_paths() {
	sed "s|/etc/doorstep|$TEST_WORK|
		s|/var/spool/postfix|$TEST_WORK/queue|
		s|/srv/mail|$TEST_WORK/home/vmail|
		s|relay.example.test|localhost|
		s|^#\(srs_\)|\1|
		s|^#\(ssl_client_ca_file = \).*|\1$TEST_WORK/cert.pem|" "$1"
}
with_our_paths "$sample/submission.conf" >"$TEST_WORK/submission.conf"
{
	with_our_paths "$sample/lmtp-virtual-users.conf"
	echo "!include submission.conf"
	echo "submission_timeout = 20 secs"
} | server_conf e2e
server_start e2e

script() {
	install -d -m 700 -o vmail -g vmail "$TEST_WORK/home/vmail/$domain" \
		"$mail/$1"
	cat >"$mail/$1/.dovecot.sieve"
	chown vmail: "$mail/$1/.dovecot.sieve"
}
message() {
	cat <<END
DKIM-Signature: v=1; a=rsa-sha256; d=client.example; s=x;
	h=from:subject; bh=abc=;  b=def=
From:  Ada   <ada@client.example>
To: Amy <amy@$domain>
Subject: $1
Message-ID: <$(echo "$1" | tr -cd 'A-Za-z0-9')@client.example>
X-Odd:   two  blanks	and a tab

${2:-Ein Satz mit Ümläuten.}
.a line with a dot

trailing blanks   
END
}
# arrive N: so many have left, when Postfix tries again what it has.
have_left() {
	postqueue -f
	[ "$(recorded)" -ge "$1" ]
}
arrive() {
	wait_for 20 have_left "$1"
	postfix_drain
}
recorded() {
	find "$TEST_WORK/record" -type f | wc -l | tr -d ' '
}
envelopes() {
	cat "$TEST_WORK"/record/* | sed -n 's/^Envelope: //p' | sort
}
kept() {
	find "$mail/$1/Maildir/new" -type f 2>/dev/null | wc -l | tr -d ' '
}
fresh() {
	rm -rf "$TEST_WORK"/record/* "$mail"/*/Maildir
}

echo 'redirect "bob@elsewhere.example"; redirect "cat@elsewhere.example";' |
	script amy
message Redirect >"$TEST_WORK/sent"
smtp ada@client.example "amy@$domain" <"$TEST_WORK/sent"
like "$(envelopes)" "SRS0=????=??=client.example=ada@example.test bob@elsewhere.example
SRS0=????=??=client.example=ada@example.test cat@elsewhere.example" \
	"a redirect reaches both addresses, with a sender of our own"
for file in "$TEST_WORK"/record/*; do
	tail -c "$(wc -c <"$TEST_WORK/sent")" "$file" |
		cmp -s - "$TEST_WORK/sent" && echo same
done >"$TEST_WORK/compared"
is "$(tr '\n' ' ' <"$TEST_WORK/compared")" "same same " \
	"what was signed arrives byte for byte"
ok "by TLS and with a name" grep -q \
	'postfix/smtpd.*sasl_method=PLAIN, sasl_username=mx' \
	"$TEST_WORK/log/postfix.log"
is "$(kept amy)" 0 "and nothing is kept"

fresh
bounce=$(srs there ada@client.example)
message Bounce | smtp "" "$bounce"
is "$(envelopes)" "MAILER-DAEMON ada@client.example" \
	"what bounces goes back to where it came from, by postsrsd"

# both_ways SENDER: ours is what postsrsd makes of it, and goes back.
both_ways() {
	day=$(date -u +%j)
	fresh
	message "Both ways $1" | smtp "$1" "amy@$domain"
	ours=$(envelopes | sed -n 's/ bob@.*//p')
	theirs=$(srs there "$1")
	[ "$day" = "$(date -u +%j)" ]
}
for sender in ada@client.example Ada.B+c@Client.Example \
	"SRS0=abcd=EF=first.example=ada@client.example" \
	"SRS0+efgh=EF=first.example=ada@client.example" \
	"SRS1=wxyz=first.example==abcd=EF=second.example=ada@client.example"; do
	both_ways "$sender" || both_ways "$sender"
	is "$ours" "$theirs" "$sender leaves as postsrsd would rewrite it"
	case $sender in
	SRS1*) back="SRS0=abcd=EF=second.example=ada@first.example" ;;
	*) back=$sender ;;
	esac
	is "$(srs back "$ours")" "$back" "and postsrsd takes it back"
done
is "$(srs back "$(echo "$ours" | sed 's/=..../=abcd/')")" "" \
	"but nothing that we did not sign"

fresh
message Null | smtp "" "amy@$domain"
is "$(envelopes | cut -d' ' -f1 | sort -u)" "MAILER-DAEMON" \
	"a bounce stays one"

fresh
echo 'redirect "böb@elsewhere.example";' | script amy
message Utf8 | smtp ada@client.example "amy@$domain"
like "$(envelopes)" "SRS0=* böb@elsewhere.example" \
	"an address with an umlaut leaves by SMTPUTF8"

fresh
echo 'redirect "bob@elsewhere.example"; redirect "refused@elsewhere.example";' |
	script amy
message Refused | smtp ada@client.example "amy@$domain"
is "$(recorded):$(kept amy)" 1:1 \
	"an address that the relay refuses costs its own redirect alone, and the message is kept"

fresh
echo 'redirect "bob@elsewhere.example"; redirect "later@elsewhere.example"; keep;' |
	script amy
message Later | smtp ada@client.example "amy@$domain"
is "$(recorded):$(kept amy)" 0:0 "one that is put off leaves the message with Postfix"
like "$(cat "$TEST_WORK/log/postfix.log")" "*status=deferred*451 4.*" "as deferred"
: >"$TEST_WORK/access"
postfix reload >/dev/null 2>&1
arrive 2
is "$(recorded):$(kept amy)" 2:1 "which tries again: all get it, and once"

fresh
echo "redirect \"loop2@$domain\";" | script loop1
echo "redirect \"loop1@$domain\";" | script loop2
message Loop | smtp ada@client.example "loop1@$domain"
is "$(kept loop1):$(kept loop2):$(recorded)" 1:0:0 \
	"two users who forward to each other stop at the first one"

fresh
cat >"$mail/amy/.dovecot.sieve" <<'END'
require ["vacation", "enotify", "fcc", "fileinto", "mailbox"];
vacation :from "Zoë <amy@virtual.example.test>" :subject "Weg – bis Montag"
	:fcc "Answers" :create "Ich bin für eine Woche weg.";
notify :message "Post für dich" "mailto:phone@elsewhere.example";
END
message Answer | smtp ada@client.example "amy@$domain"
arrive 2
is "$(envelopes)" "MAILER-DAEMON ada@client.example
postmaster@$domain phone@elsewhere.example" \
	"an answer and a notification leave once each, neither by SRS"
answer=$(grep -l 'Envelope: .* ada@' "$TEST_WORK"/record/*)
told=$(grep -l 'Envelope: .* phone@' "$TEST_WORK"/record/*)
copy=$(find "$mail/amy/Maildir/.Answers" -type f -path '*/new/*')
if why=$(python3 "$TEST_SOURCE/tests/e2e/letters.py" "$answer" "$told" "$copy" 2>&1)
then
	pass "both are what RFC 3834, 5230 and 5436 want, and the copy is the answer"
else
	fail "both are what RFC 3834, 5230 and 5436 want, and the copy is the answer" \
		"$why"
fi
message "Answer again" | smtp ada@client.example "amy@$domain"
is "$(envelopes | grep -c ' ada@')" 1 "the sender is answered once"

fresh
echo "mx:{PLAIN}other" >"$TEST_WORK/relay-users"
doveadm -c "$TEST_WORK/dovecot.conf" reload 2>/dev/null
echo 'redirect "bob@elsewhere.example";' | script amy
# A connection is kept for some seconds; this one's ends with its process.
old=$(server_processes mailer)
kill -9 "$old"
other_mailer() {
	new=$(server_processes mailer) && [ -n "$new" ] && [ "$new" != "$old" ]
}
wait_for 20 other_mailer
message Password | smtp ada@client.example "amy@$domain"
is "$(recorded):$(kept amy)" 0:0 "with a wrong password nothing leaves or is lost"
like "$(cat "$TEST_WORK/log/e2e.log")" "*localhost answered AUTH: 535*" \
	"and the log says why"
echo "mx:{PLAIN}s3cret" >"$TEST_WORK/relay-users"
doveadm -c "$TEST_WORK/dovecot.conf" reload 2>/dev/null
arrive 1
is "$(recorded)" 1 "it leaves when the password is right"
is "$(server_deaths e2e | grep -cv "mailer process $old was killed")" 0 \
	"no other process broke"
ok "the server stops" server_stop

# ---- by Postfix's sendmail, which hands over to a setgid program ----

{
	with_our_paths "$sample/lmtp-virtual-users.conf"
	echo "sendmail_dsn = yes"
} | server_conf plain
server_start plain
fresh
cat >"$mail/amy/.dovecot.sieve" <<'END'
require ["redirect-dsn", "vacation"];
redirect :notify "never" :ret "hdrs" "bob@elsewhere.example";
vacation :handle "sendmail" "Away.";
END
message "By sendmail" | smtp ada@client.example "amy@$domain"
arrive 2
is "$(envelopes)" "MAILER-DAEMON ada@client.example
ada@client.example bob@elsewhere.example" \
	"a redirect with a wish and an answer leave by the mailer's sendmail"
like "$(stat -c %A "$(command -v postdrop)")" "??????s*" "which is setgid"
postfix_took_all
ok "the server stops" server_stop
done_testing
