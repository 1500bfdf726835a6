#!/bin/sh
# Mail that leaves: through the mailer by sendmail and by SMTP, with TLS and SASL,
# and what its death, a refusal and a relay that hangs mean for who waits.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

# relay NAME [OPTION...]: a server; its port in $port, its folder in $relay.
relay() {
	relay=$TEST_WORK/relay-$1
	mkdir "$relay"
	shift
	python3 "$TEST_SOURCE/tests/lib/relay.py" "$relay" "$@" 2>>relay-log &
	at_end "kill -9 $! 2>/dev/null"
	soon test -f "$relay/port"
	port=$(cat "$relay/port")
}
# redirect ADDRESS...: what the script wants; one line of Sieve each.
redirect() {
	for address; do
		echo "redirect \"$address\";"
	done >"$home/script"
}
# settings LINE...: these, in force.
settings() {
	{
		cat base.conf
		printf '%s\n' "$@"
	} >"$conf"
}
copies() {
	find "$home/Maildir" -type f -path '*/new/*' 2>/dev/null | wc -l
}
# send_message: delivers the file "message"; prints the reply.
send_message() {
	python3 - "$base/lmtp" <<'END'
import smtplib, sys
client = smtplib.LMTP(sys.argv[1])
client.ehlo("client.example")
client.mail("ada@partner.example")
client.rcpt("amy")
print(client.data(open("message", "rb").read())[0])
client.quit()
END
}
# Without what was put in front, and the empty line behind the commands.
sent_message() {
	sed '1,/^$/d' "$1" | sed '/^X-Sieve-Redirected-From:/d'
}

cat >>"$conf" <<END
sieve = ~/script
submission_timeout = 4 secs
mailer_process_limit = 8
sieve_redirect_duplicate_period = 0
END
cp "$conf" base.conf

# ---- sendmail ----

cat >sendmail <<'END'
#!/bin/sh
cd "$(dirname "$0")/home" || exit
echo "$@" >args
ps -o args= -p "$PPID" >parent
cat >sent
END
chmod 755 sendmail
settings "sendmail_path = $TEST_WORK/sendmail"
redirect bob@elsewhere.example
ok "the server starts" start
like "$(send amy)" "250 *Saved" "a redirect by sendmail"
is "$(cat "$home/args")" "-i -f ada@client.example -- bob@elsewhere.example" \
	"sendmail is told who sends and who is to have it"
like "$(cat "$home/parent")" "*--child=mailer" \
	"the mailer ran it, not the worker"
# shellcheck disable=SC3045 # dash has it
if [ -n "$as_user" ] && (ulimit -n 5000); then
	# Somebody who connects more often than the mailer takes.
	# shellcheck disable=SC3045
	(ulimit -n 5000 && exec python3 - "$base/mailer" <<'END') &
import os, socket, sys, time
os.setgroups([])
os.setresgid(61031, 61031, 61031)
os.setresuid(61031, 61031, 61031)
crowd = []
for _ in range(4200):
    crowd.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    crowd[-1].connect(sys.argv[1])
time.sleep(60)
END
	crowd=$!
	at_end "kill -9 $crowd 2>/dev/null"
	ok "a crowd of one user asks the mailer" soon grep -q \
		'sent away: too many ask at a time, as uid 61031' "$log"
	like "$(send amy)" "250 *Saved" "others' mail leaves all the same"
	kill $crowd
	wait $crowd 2>/dev/null
else
	skip "a crowd of one user asks the mailer" "only root is two users"
	skip "others' mail leaves all the same" "only root is two users"
fi
echo 'require "redirect-dsn"; redirect :notify "never" :ret "hdrs" "bob@elsewhere.example";' \
	>"$home/script"
like "$(send amy)" "250 *Saved" "a redirect with a wish"
is "$(cat "$home/args")" "-i -f ada@client.example -- bob@elsewhere.example" \
	"is not told to a sendmail that may take -N for something else"
stop
settings "sendmail_path = $TEST_WORK/sendmail" "sendmail_dsn = yes"
ok "the server starts with a sendmail that knows -N" start
like "$(send amy)" "250 *Saved" "a redirect with a wish"
is "$(cat "$home/args")" \
	"-i -f ada@client.example -N never -R hdrs -- bob@elsewhere.example" \
	"sendmail is told what the script wants reported"
stop

# ---- SMTP ----

relay clear
settings "submission_host = 127.0.0.1:$port"
printf 'DKIM-Signature: v=1; h=from:subject;\r\n\tb=abc=\r\n' >message
printf 'From: Ada <ada@partner.example>\r\nSubject:  two  blanks \r\n' >>message
printf 'X-Odd: \303\244 \tx\r\n\r\n.dot\r\n\r\nlast line  \r\n' >>message
redirect bob@elsewhere.example cat@elsewhere.example
ok "the server starts with a relay" start
is "$(send_message)" 250 "a redirect by SMTP"
is "$(grep -c '^RCPT TO' "$relay/1")" 2 "one message for both addresses"
like "$(cat "$relay/1")" "*MAIL FROM:<ada@partner.example> SIZE=*" \
	"the sender stays"
sent_message "$relay/1" >sent
ok "what was signed leaves as it came, byte for byte" cmp message sent

redirect refused@elsewhere.example
before=$(copies)
like "$(send amy)" "250 *Saved" "a redirect that the relay refuses for good"
is $(($(copies) - before)) 1 "the message is kept in its place"
like "$(cat "$log")" \
	"*Error: sieve: failed to redirect message to <refused@elsewhere.example>: *550 5.1.1 nobody here*" \
	"and the log says why"

redirect later@elsewhere.example
before=$(copies)
like "$(send amy)" "451 *" "a redirect that is refused for now"
is "$(copies)" "$before" "leaves nothing"

redirect bob@elsewhere.example refused@elsewhere.example
before=$(copies)
like "$(send amy)" "250 *Saved" "one of two is refused for good"
is $(($(copies) - before)) 1 "the other one goes out, and the message is kept"
is "$(grep -l 'TO:<refused@' "$relay"/[0-9]* | wc -l)" 1 \
	"the relay has taken it for the other one"

printf 'require ["redirect-dsn", "redirect-deliverby"];\n%s\n' \
	'redirect :notify "SUCCESS,DELAY" :ret "FULL" :bytimerelative 600 :bymode "return" :bytrace "dsn@elsewhere.example";' \
	>"$home/script"
like "$(send amy)" "250 *Saved" "wishes for the next servers"
dsn=$(grep -l 'TO:<dsn@' "$relay"/[0-9]*)
like "$(cat "$dsn")" "*MAIL FROM:<*> * RET=FULL BY=600;RT*" "RET and BY"
like "$(cat "$dsn")" "*RCPT TO:<dsn@elsewhere.example> NOTIFY=SUCCESS,DELAY*" \
	"NOTIFY"

# ---- trouble ----

redirect hang@elsewhere.example
send amy >hanging &
waiting=$!
soon test -e "$relay/hangs"
redirect bob@elsewhere.example
like "$(send ben)" "250 *Saved" \
	"a relay that hangs holds up nobody else's mail"
wait $waiting
like "$(cat hanging)" "451 *" "who waits for it comes again"

redirect hang@elsewhere.example
mailer=$(process mailer)
rm "$relay/hangs"
send amy >hanging &
waiting=$!
soon test -e "$relay/hangs"
kill -9 "$mailer"
wait $waiting
like "$(cat hanging)" "451 *" "a mailer that is killed is a temporary failure"
ok "another one is there" soon is_new mailer "$mailer"
redirect bob@elsewhere.example
like "$(send amy)" "250 *Saved" "and hands mail over"

mailer=$(process mailer)
rm -f "$base/mailer"
like "$(send amy)" "451 *" "without its socket mail is deferred"
kill -HUP "$server"
ok "a reload starts another mailer" soon is_new mailer "$mailer"
ok "makes the socket anew" soon test -S "$base/mailer"
like "$(send amy)" "250 *Saved" "and mail leaves again"
ok "the old mailer ends" soon has_ended "$mailer"
stop
ok "the socket is gone with the server" test ! -e "$base/mailer"

# ---- TLS, SASL ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=localhost" -addext subjectAltName=DNS:localhost \
	-keyout key.pem -out cert.pem 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=other" -keyout other.key -out other.pem 2>/dev/null
chmod 644 ./*.pem
echo s3cret >password
chmod 644 password
relay tls --certificate cert.pem key.pem --user relay:s3cret
secure="submission_host = localhost:$port
submission_ssl = starttls
submission_user = relay"
settings "$secure" "submission_password = <$TEST_WORK/password" \
	"ssl_client_ca_file = $TEST_WORK/cert.pem"
redirect bob@elsewhere.example
ok "the server starts with a relay that wants to know us" start
like "$(send amy)" "250 *Saved" "STARTTLS and SASL"
like "$(cat "$relay/1")" "*STARTTLS*AUTH PLAIN*" "TLS came first"
settings "$secure" "submission_password = <$TEST_WORK/password" \
	"ssl_client_ca_file = $TEST_WORK/other.pem"
mailer=$(process mailer)
kill -HUP "$server"
soon is_new mailer "$mailer"
soon has_ended "$mailer"
like "$(send amy)" "451 *" "a certificate of nobody we know is not believed"
like "$(cat "$log")" "*the certificate of localhost is not good*" "says the log"
settings "$secure" "submission_password = wrong" \
	"ssl_client_ca_file = $TEST_WORK/cert.pem"
mailer=$(process mailer)
kill -HUP "$server"
soon is_new mailer "$mailer"
soon has_ended "$mailer"
like "$(send amy)" "451 *" "a wrong password is a temporary failure"
unlike "$(cat "$log")" "*s3cret*" "no password is in the log"
settings "$secure" "submission_password = </nonexistent"
kill -HUP "$server"
ok "a password that cannot be read stops a reload" soon grep -q \
	'Error: .*/nonexistent' "$log"
stop

# ---- without a server ----

libexec=$TEST_BUILD/outbound
if [ -n "$as_user" ]; then
	libexec=$TEST_WORK/bin
	cp "$TEST_BUILD/outbound/doorstep-submit" "$libexec"
	cp "$TEST_BUILD/lda/doorstep-lda" "$libexec"
fi
settings "$secure" "submission_password = <$TEST_WORK/password" \
	"ssl_client_ca_file = $TEST_WORK/cert.pem" "libexec_dir = $libexec"
lda=$TEST_BUILD/lda/doorstep-lda
[ -z "$as_user" ] || lda=$libexec/doorstep-lda
before=$(find "$relay" -name '[0-9]*' | wc -l)
ok "doorstep-lda hands over by doorstep-submit" as_user env HOME="$home" \
	USER=amy "$lda" -c "$conf" -f ada@partner.example <message
is $(($(find "$relay" -name '[0-9]*' | wc -l) - before)) 1 "and it has left"
settings "$secure" "submission_password = <$TEST_WORK/password" \
	"libexec_dir = /nonexistent"
ok "without that program it comes again" test "$(as_user env HOME="$home" \
	USER=amy "$lda" -c "$conf" -f ada@partner.example <message \
	2>lda-error; echo $?)" = 75
done_testing
