#!/bin/sh
# Redirects that leave: limits and memory, SRS, TLS from the first byte on, several
# at the same time, sendmail in trouble, and a mailer killed under a crowd.
#
#	ROUNDS=N   kill so many mailers under crowds (2)
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

relay() {
	relay=$TEST_WORK/relay-$1
	mkdir "$relay"
	shift
	python3 "$TEST_SOURCE/tests/lib/relay.py" "$relay" "$@" 2>>relay-log &
	at_end "kill -9 $! 2>/dev/null"
	soon test -f "$relay/port"
	port=$(cat "$relay/port")
}
settings() {
	{
		cat base.conf
		printf '%s\n' "$@"
	} >"$conf"
}
# deliver SENDER ID [RECIPIENT...]: one message; the replies' codes.
deliver() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$@" <<'END_OF_CLIENT'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
target, sender, name = sys.argv[2:5]
client = lmtp.Client(target, timeout=60)
text = b"From: ada@partner.example\r\nTo: amy@example.test\r\nSubject: x\r\n"
if name:
    text += b"Message-ID: <%s@partner.example>\r\n" % name.encode()
replies = client.send_message(sender, sys.argv[5:] or ["amy@example.test"],
                              text + b"\r\nx\r\n")
client.quit()
print(*[reply[-1][:3] for reply in replies])
END_OF_CLIENT
}
left() {
	find "$relay" -name '[0-9]*' | wc -l | tr -d ' '
}
# remembers N: state has so many marks.  It tells now and then.
remembers() {
	"$TEST_BUILD/ctl/doorstep" --json -c "$conf" status | tr -d ' \n' |
		grep -q "\"marks\":$1[^0-9]"
}
kept() {
	find "$home/Maildir/new" -type f 2>/dev/null | wc -l | tr -d ' '
}
last() {
	sed -n 's/^MAIL FROM:\(<.*>\).*/\1/p' "$relay/$(left)"
}

cat >>"$conf" <<END
sieve = ~/script
submission_timeout = 5 secs
sieve_user_email = amy@example.test
END
cp "$conf" base.conf

# ---- memory and limits ----

relay memory
settings "submission_host = 127.0.0.1:$port"
echo 'redirect "bob@elsewhere.example";' >"$home/script"
ok "the server starts" start
is "$(deliver ada@partner.example one)" 250 "a message is forwarded"
is "$(deliver ada@partner.example one)" 250 "the same again"
is "$(left):$(kept)" 1:1 "is not forwarded a second time, but kept"
like "$(cat "$log")" "*not forwarded to <bob@elsewhere.example>: it was forwarded there before*" \
	"and the log says why"
is "$(deliver ada@partner.example two)" 250 "another message"
is "$(left)" 2 "is forwarded"
is "$(deliver ada@partner.example "")$(deliver ada@other.example "")" 250250 \
	"messages without an id"
is "$(left)" 4 "are all forwarded"
old=$(process state)
kill -9 "$old"
ok "state is started anew" soon is_new state "$old"
is "$(deliver ada@partner.example two)" 250 "what was forwarded before that"
is "$(left):$(kept)" 4:2 "is still remembered"
ok "doorstep status tells how much is remembered" soon remembers 2

echo 'redirect "later@elsewhere.example";' >"$home/script"
is "$(deliver ada@partner.example three)" 451 "what the relay puts off"
is "$(deliver ada@partner.example three)" 451 "is tried again"
echo 'redirect "bob@elsewhere.example";' >"$home/script"
is "$(deliver ada@partner.example three):$(left)" 250:5 \
	"and was not taken for forwarded"
ok "only what has left is remembered" soon remembers 3
stop

# The hour may end between two messages: then it is tried again.
limited() {
	hour=$(date +%H)
	rm -rf "$home/Maildir"
	before=$(left)
	deliver ada@partner.example "$1.1" >/dev/null
	deliver ada@partner.example "$1.2" >/dev/null
	deliver ada@partner.example "$1.3" >/dev/null
	found=$(($(left) - before)):$(kept)
	[ "$hour" = "$(date +%H)" ]
}
settings "submission_host = 127.0.0.1:$port" "sieve_max_redirects_per_hour = 2" \
	"state_dir = $home/state-limit"
ok "the server starts with a limit for an hour" start
name=four
limited $name || {
	stop
	rm -r "$home/state-limit"
	start
	name=five
	limited $name
}
is "$found" 2:1 "the third message of the hour is kept"
like "$(cat "$log")" "*forwarded too much in this hour*" "and the log says why"
stop
start -o sieve_max_redirects_per_hour=0
is "$(deliver ada@partner.example $name.3):$(($(left) - before))" 250:3 \
	"when it comes again later, it does not count as forwarded"
stop

# ---- the sender ----

echo s3cret >secret
chmod 644 secret
settings "submission_host = 127.0.0.1:$port" "srs_domain = fwd.example" \
	"srs_secret = <$TEST_WORK/secret"
ok "the server starts with SRS" start
is "$(deliver ada@partner.example srs.1)" 250 "a redirect"
like "$(last)" "<SRS0=????=??=partner.example=ada@fwd.example>" \
	"has a sender of our own domain"
is "$(deliver '"a b"@partner.example' srs.2)" 250 "a sender in quotes"
like "$(last)" '<"SRS0=????=??=partner.example=a b"@fwd.example>' \
	"keeps its quotes"
is "$(deliver 'SRS0=abcd=EF=first.example=ada@partner.example' srs.3)" 250 \
	"what was forwarded to us"
like "$(last)" "<SRS1=????=partner.example==abcd=EF=first.example=ada@fwd.example>" \
	"names whoever was first"
is "$(deliver "" srs.4)" 250 "the null sender"
is "$(last)" "<>" "stays null"
is "$(deliver ada@fwd.example srs.5)" 250 "a sender of our own"
is "$(last)" "<ada@fwd.example>" "stays"
cat >"$home/script" <<'END'
require "enotify";
notify "mailto:alarm@elsewhere.example";
END
is "$(deliver ada@partner.example srs.6)" 250 "a notification"
ok "leaves" soon grep -q 'TO:<alarm@' -r "$relay"
is "$(last)" "<postmaster@example.test>" "under our own name"
stop
# RFC 5230 5.1
echo 'require "vacation"; vacation "x";' >"$home/script"
while read -r own expected; do
	settings "submission_host = 127.0.0.1:$port" \
		"sieve_vacation_send_from_recipient = $own" \
		"state_dir = $home/state-$own"
	start
	before=$(left)
	deliver ada@partner.example "own.$own" >/dev/null
	soon test -e "$relay/$((before + 1))"
	is "$(last)" "$expected" \
		"sieve_vacation_send_from_recipient = $own: an answer"
	ok "nobody is told of its failure" grep -q \
		'^RCPT TO:<ada@partner.example> NOTIFY=NEVER$' "$relay/$(left)"
	stop
done <<END
no <>
yes <amy@example.test>
END
echo 'redirect "bob@elsewhere.example";' >"$home/script"
while read -r policy expected; do
	settings "submission_host = 127.0.0.1:$port" \
		"sieve_redirect_envelope_from = $policy"
	start
	deliver ada@partner.example "policy.$policy" amy+x@example.test >/dev/null
	is "$(last)" "$expected" "sieve_redirect_envelope_from = $policy"
	deliver "" "null.$policy" >/dev/null
	is "$(last)" "<>" "and the null sender"
	stop
done <<END
sender <ada@partner.example>
orig_recipient <amy+x@example.test>
recipient <amy+x@example.test>
user_email <amy@example.test>
postmaster <postmaster@example.test>
"<bounces@example.test>" <bounces@example.test>
END
lda=$TEST_BUILD/lda/doorstep-lda
libexec=$TEST_BUILD/outbound
if [ -n "$as_user" ]; then
	libexec=$TEST_WORK/bin
	cp "$TEST_BUILD/outbound/doorstep-submit" "$lda" "$libexec"
	lda=$libexec/doorstep-lda
fi
lda() {
	as_user env HOME="$home" USER=amy "$lda" -c "$conf" \
		-f ada@partner.example <message
}
printf 'Message-ID: <lda@x>\n\nx\n' >message
settings "submission_host = 127.0.0.1:$port" "srs_domain = fwd.example" \
	"srs_secret = <$TEST_WORK/secret" "libexec_dir = $libexec"
ok "doorstep-lda without a server" lda
like "$(last)" "<SRS0=????=??=partner.example=ada@fwd.example>" \
	"rewrites the sender, too"
before=$(left)
ok "the same message again" lda
is "$(left)" "$before" "is not forwarded: the user's file remembers"

# Each is under way for two seconds: all have asked before the first has left.
crowd() {
	hour=$(date +%H)
	crowd=
	rm -rf "$home/Maildir"
	before=$(left)
	i=0
	while [ $i -lt 8 ]; do
		i=$((i + 1))
		printf 'Message-ID: <%s.%s@x>\n\nx\n' "$1" \
			"${2:-$i}" >"message.$i"
		as_user env HOME="$home" USER=amy "$lda" -c "$conf" \
			-f ada@partner.example <"message.$i" &
		crowd="$crowd $!"
	done
	# shellcheck disable=SC2086 # several numbers
	wait $crowd
	found=$(($(left) - before)):$(kept)
	[ "$hour" = "$(date +%H)" ]
}
echo 'redirect "slow@elsewhere.example";' >"$home/script"
settings "submission_host = 127.0.0.1:$port" "libexec_dir = $libexec" \
	"sieve_max_redirects_per_hour = 3" "submission_timeout = 30 secs"
crowd eight || {
	rm "$home/.doorstep-seen"
	crowd nine
}
is "$found" 3:5 "of eight at the same time no more leave than may, and none is lost"
settings "submission_host = 127.0.0.1:$port" "libexec_dir = $libexec" \
	"submission_timeout = 30 secs"
crowd same one
is "$found" 1:7 "the same message eight times at the same time leaves once"
echo 'redirect "bob@elsewhere.example";' >"$home/script"

# ---- TLS from the first byte on ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj "/CN=localhost" -addext subjectAltName=DNS:localhost \
	-keyout key.pem -out cert.pem 2>/dev/null
chmod 644 cert.pem
relay implicit --certificate cert.pem key.pem --implicit --user relay:s3cret
settings "submission_host = localhost:$port" "submission_ssl = smtps" \
	"submission_user = relay" "submission_password = s3cret" \
	"ssl_client_ca_file = $TEST_WORK/cert.pem"
ok "the server starts with TLS" start
is "$(deliver ada@partner.example tls.1)" 250 "a redirect by TLS and SASL"
like "$(cat "$relay/1")" "EHLO *AUTH PLAIN*MAIL FROM*" "arrives"
unlike "$(cat "$relay/1")" "*STARTTLS*" "without STARTTLS"
stop
ok "the server starts without its certificate" start -o ssl_client_ca_file=
is "$(deliver ada@partner.example tls.2)" 451 "a relay nobody knows"
is "$(left)" 1 "gets nothing"
stop

# A relay that offers LOGIN alone.
relay login --certificate cert.pem key.pem --login --user relay:s3cret
settings "submission_host = localhost:$port" "submission_ssl = starttls" \
	"submission_user = relay" "submission_password = s3cret" \
	"ssl_client_ca_file = $TEST_WORK/cert.pem"
ok "the server starts" start
is "$(deliver ada@partner.example login.1)$(deliver ada@partner.example login.2)" \
	250250 "two redirects with AUTH LOGIN"
like "$(cat "$relay/1")" "EHLO *STARTTLS*EHLO *AUTH LOGIN*MAIL FROM*" "leave"
like "$(cat "$relay/2")" "MAIL FROM*" "over one connection"
stop
# Its certificate is for localhost.
ok "the server starts with another name" \
	start -o "submission_host=127.0.0.1:$port"
is "$(deliver ada@partner.example login.3)" 451 "a certificate of another host"
is "$(left)" 2 "is not believed"
like "$(cat "$log")" "*the certificate of 127.0.0.1 is not good*" "says the log"
stop

# ---- what a relay does not take ----

relay small --size 300
settings "submission_host = 127.0.0.1:$port"
ok "the server starts" start
before=$(kept)
is "$(deliver ada@partner.example small)$(deliver \
	"$(head -c 60 /dev/zero | tr '\0' a)@partner.example" \
	"$(head -c 300 /dev/zero | tr '\0' b)")" 250250 \
	"a short message and a long one"
is "$(left):$(($(kept) - before))" 1:1 "the one above SIZE is kept"
like "$(cat "$log")" "*127.0.0.1 takes messages of 300 bytes, this one has *" \
	"says the log"
echo 'redirect "böb@elsewhere.example";' >"$home/script"
is "$(deliver ada@partner.example utf8.1)" 250 "an address in UTF-8"
is "$(left):$(($(kept) - before))" 1:2 "keeps its message without SMTPUTF8"
stop
relay utf8 --utf8
ok "the server starts with SMTPUTF8" start -o "submission_host=127.0.0.1:$port"
is "$(deliver ada@partner.example utf8.2)" 250 "that address"
like "$(cat "$relay/1")" "*MAIL FROM:* SMTPUTF8*RCPT TO:<böb@elsewhere.example>*" \
	"is sent to"
stop

# ---- another host's LMTP ----

relay lmtp --lmtp
settings "submission_host = 127.0.0.1:$port" "submission_protocol = lmtp"
echo 'redirect "bob@elsewhere.example"; redirect "denied@elsewhere.example";' \
	>"$home/script"
ok "the server starts with LMTP" start
before=$(kept)
is "$(deliver ada@partner.example lmtp.1)" 250 "two redirects"
like "$(cat "$relay/1")" "LHLO *RCPT TO:<bob@*RCPT TO:<denied@*" "are one message"
is "$(($(kept) - before))" 1 "the one that is refused after the dot is kept"
echo 'redirect "bob@elsewhere.example"; redirect "full@elsewhere.example";' \
	>"$home/script"
is "$(deliver ada@partner.example lmtp.2)$(deliver ada@partner.example lmtp.2)" \
	452452 "one that is put off after the dot is tried again"
is "$(grep -l 'RCPT TO:<bob@' "$relay"/[1-9]* | wc -l)" 2 \
	"but not for who had it"
stop

# ---- several at the same time ----

relay together --together 3
settings "submission_host = 127.0.0.1:$port" "submission_timeout = 20 secs"
echo 'redirect "together@elsewhere.example";' >"$home/script"
ok "the server starts" start
is "$(deliver ada@partner.example many amy@a.example ben@a.example cat@a.example)" \
	"250 250 250" "redirects of a message to three users are under way together"
cat >"$home/script" <<'END'
require "redirect-dsn";
redirect :notify "NEVER" "together@elsewhere.example";
redirect :notify "SUCCESS" "together@a.example";
redirect :notify "DELAY" "together@b.example";
END
is "$(deliver ada@partner.example wishes)" 250 \
	"so are those of one script that differ"
stop

# ---- sendmail in trouble ----

relay=$home/sent
as_user mkdir "$relay"
cat >bin/sendmail <<END
#!/bin/sh
while [ "\$1" != -- ]; do shift; done
shift
for one; do
	case \$one in
	refused*) echo "no such user: \$one" >&2; exit 67 ;;
	hang*) echo \$\$ >$home/hanging; exec sleep 600 ;;
	deaf*) exec 0<&-; exit 0 ;;
	esac
done
cat >"$relay/\$\$"
END
chmod 755 bin/sendmail
settings "sendmail_path = $TEST_WORK/bin/sendmail" "submission_timeout = 2 secs"
echo 'redirect "bob@elsewhere.example"; redirect "refused@elsewhere.example";' \
	>"$home/script"
ok "the server starts with sendmail" start
is "$(deliver ada@partner.example sendmail.1)" 451 \
	"a sendmail that refuses one of two is tried again"
is "$(left)" 0 "and has sent nothing"
like "$(cat "$log")" "*no such user: refused@elsewhere.example*" \
	"the log has its words"
echo 'redirect "hang@elsewhere.example";' >"$home/script"
is "$(deliver ada@partner.example sendmail.2)" 451 "one that hangs is tried again"
ok "and does not stay" soon has_ended "$(cat "$home/hanging")"
echo 'redirect "deaf@elsewhere.example";' >"$home/script"
head -c 300000 /dev/zero | tr '\0' 'x' | fold >large
is "$(python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
print(lmtp.Client(sys.argv[2]).send_message("ada@x.example", ["amy"],
      open("large", "rb").read().replace(b"\n", b"\r\n") + b"\r\n")[0][-1][:3])
END
)" 451 "one that does not read it all, too"
echo 'redirect "bob@elsewhere.example";' >"$home/script"
is "$(deliver ada@partner.example sendmail.1):$(left)" 250:1 \
	"none of them is taken for forwarded"
stop

# ---- a mailer that dies ----

relay crowd
settings "submission_host = 127.0.0.1:$port" "submission_timeout = 20 secs" \
	"sieve_redirect_duplicate_period = 0" "lmtp_user_concurrency_limit = 0"
ok "the server starts" start
round=0
while [ $round -lt "${ROUNDS:-2}" ]; do
	round=$((round + 1))
	rm -f "$TEST_WORK/now"
	(
		soon test -e "$TEST_WORK/now"
		kill -9 "$(process mailer)"
	) &
	python3 "$TEST_SOURCE/tests/lmtpd/leaving.py" "$TEST_SOURCE/tests/lib" \
		"$base/lmtp" "$relay" 20 10 "$TEST_WORK/now" $round \
		>crowd 2>crowd-more
	diag "$(cat crowd-more)"
	is "$(cat crowd)" "promised 200, lost 0" \
		"round $round: a mailer is killed, and no mail is lost"
done
stop
done_testing
