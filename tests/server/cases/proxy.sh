# Recipients that live on another host.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

proxy_fake=$TEST_WORK/fake
mkdir "$proxy_fake"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=tls.example -addext subjectAltName=DNS:tls.example \
	-keyout "$proxy_fake/key" -out "$proxy_fake/certificate" 2>/dev/null
cat "$proxy_fake/key" "$proxy_fake/certificate" >"$proxy_fake/tls.pem"
python3 "$TEST_SOURCE/tests/server/backend.py" 2451 "$proxy_fake" &
proxy_fake_pid=$!
at_end "kill $proxy_fake_pid 2>/dev/null"
wait_for 10 test -e "$proxy_fake/ready" || bail_out "the backend does not start"

# steps LINE...: what the backend does from now on; its log begins anew.
# shellcheck disable=SC2317
steps() {
	: >"$proxy_fake/log"
	rm -f "$proxy_fake"/mail.*
	printf '%s\n' "$@" >"$proxy_fake/steps.new"
	mv "$proxy_fake/steps.new" "$proxy_fake/steps"
}
# fresh LINE...: the same, and no connection is left.
# shellcheck disable=SC2317
fresh() {
	kill -USR1 "$proxy_fake_pid"
	steps "$@"
}
# The commands that the backend was told, without numbers.
# shellcheck disable=SC2317
told() {
	sed -n '/closed$/!s/^[0-9]* //p' "$proxy_fake/log"
}

# A real one, which is another server of ours.
cat >"$TEST_WORK/users-back" <<END
amy@example.test::61091:61091::$TEST_WORK/home/amy::
bob@example.test::61092:61092::$TEST_WORK/home/bob::
END
server_conf back <<END
mail_location = maildir:~/Maildir
login_trusted_networks = 127.0.0.1
userdb {
  driver = passwd-file
  args = $TEST_WORK/users-back
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2450
  }
}
END
rm -rf "$TEST_WORK/home/amy/Maildir" "$TEST_WORK/home/bob/Maildir"
server_start back
proxy_back_pid=$server_pid

cat >"$TEST_WORK/users-proxy" <<END
amy@example.test:::::::proxy=y host=127.0.0.1 port=2450
bob@example.test:::::::proxy=y host=127.0.0.1 port=2450
nobody@example.test:::::::proxy=y host=127.0.0.1 port=2450
local@example.test::61091:61091::$TEST_WORK/home/amy/local::
one@fake.test:::::::proxy=y host=127.0.0.1 port=2451 proxy_timeout=2
two@fake.test:::::::proxy=y host=127.0.0.1 port=2451 proxy_timeout=2
smtp@fake.test:::::::proxy=y host=127.0.0.1 port=2451 protocol=smtp proxy_timeout=2
smtq@fake.test:::::::proxy=y host=127.0.0.1 port=2451 protocol=smtp proxy_timeout=2
off@example.test:::::::proxy=y host=127.0.0.1 port=2459
plain@tls.test:::::::proxy=y host=tls.example hostip=127.0.0.1 port=2451 proxy_timeout=2 ssl=yes
any@tls.test:::::::proxy=y host=tls.example hostip=127.0.0.1 port=2451 proxy_timeout=2 ssl=any-cert
start@tls.test:::::::proxy=y host=tls.example hostip=127.0.0.1 port=2451 proxy_timeout=2 starttls=yes
wrong@tls.test:::::::proxy=y host=other.example hostip=127.0.0.1 port=2451 proxy_timeout=2 starttls=yes
lax@tls.test:::::::proxy=y host=other.example hostip=127.0.0.1 port=2451 proxy_timeout=2 starttls=any-cert
from@fake.test:::::::proxy=y host=127.0.0.1 port=2451 source_ip=127.0.0.9
forward@fake.test:::::::proxy=y host=127.0.0.1 port=2451 forward_a=1 forward_b=two
port@example.test:::::::proxy=y host=127.0.0.2
self@example.test:::::::proxy=y host=127.0.0.1 port=2452
dest@fake.test:::::::proxy=y host=127.0.0.1 port=2451 destuser=other@fake.test
END
server_conf proxy <<END
mail_location = maildir:~/Maildir
lmtp_proxy = yes
ssl_client_ca_file = $TEST_WORK/fake/tls.pem
login_trusted_networks = 127.0.0.1
userdb {
  driver = passwd-file
  args = $TEST_WORK/users-proxy
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2452
  }
}
END
server_start proxy
target=$TEST_WORK/run-proxy/lmtp

is "$(python deliver "$target" amy@example.test bob@example.test)" \
	"amy@example.test 250
bob@example.test 250" "recipients of another host get their mail"
is "$(find "$TEST_WORK/home/amy/Maildir/new" "$TEST_WORK/home/bob/Maildir/new" \
	-type f | wc -l)" 2 "it is there, once for each"
is "$(python deliver "$target" amy@example.test nobody@example.test \
	local@example.test off@example.test)" \
	"amy@example.test 250
nobody@example.test 550
local@example.test 250
off@example.test 451" "each has its own answer, those who live here too"
like "$(OPTIONS=-v python deliver "$target" off@example.test)" \
	"*451 4.4.0 <off@example.test> Proxy failed (connect, session=*" \
	"a backend that is not there is told as such"
steps
is "$(python deliver "$target" one@fake.test two@fake.test)" \
	"one@fake.test 250
two@fake.test 250" "the same by a backend that offers nothing"
is "$(told)" "LHLO mx.example.test
MAIL FROM:<ada@client.example>
RCPT TO:<one@fake.test>
RCPT TO:<two@fake.test>
DATA" "it is told what is needed, and nothing else"

# ---- what the backend answers is what the client hears ----

# verbose RECIPIENT...: the last lines of all replies.
# shellcheck disable=SC2317
verbose() {
	OPTIONS=-v python deliver "$target" "$@" | grep -v '@[a-z.]* [0-9]*$'
}
steps 'rcpt one say 550-5.1.6 gone\n550 5.1.6 to the moon'
is "$(verbose one@fake.test two@fake.test)" "550-5.1.6 gone
550 5.1.6 to the moon
250 2.0.0 <two@fake.test> Taken" \
	"a refusal at RCPT is passed on with all its lines"
is "$(told | grep -c '^RSET')" 0 "nothing is taken back behind a message"
steps 'mail say 452 4.3.1 full'
is "$(verbose one@fake.test two@fake.test)" "452 4.3.1 full
452 4.3.1 full" "one to MAIL is that of all recipients"
steps 'dot say 452 4.2.2 no room'
is "$(verbose one@fake.test)" "452 4.2.2 no room" "one behind the message, too"
steps 'dot say 554 5.6.0 no such mail'
is "$(python deliver "$target" one@fake.test local@example.test)" \
	"one@fake.test 554
local@example.test 250" "what one refuses another one takes"
steps 'data say 451 4.3.0 not now'
is "$(verbose one@fake.test two@fake.test)" "451 4.3.0 not now
451 4.3.0 not now" "and one to DATA is that of all"
steps 'data say 250 2.0.0 whatever'
is "$(python deliver "$target" one@fake.test)" "one@fake.test 451" \
	"a 250 to DATA is no delivery"
steps smtp
is "$(verbose smtp@fake.test smtq@fake.test)" \
	"250 2.0.0 <smtp@fake.test> Taken
250 2.0.0 <smtp@fake.test> Taken" "SMTP's one answer is that of all recipients"
is "$(told | head -n 1)" "EHLO mx.example.test" "it is greeted as SMTP wants it"

# ---- a backend that misbehaves ----

# failure STEP DETAIL: both recipients are told of a temporary failure, the one who
# lives here gets the mail.
# shellcheck disable=SC2317
failure() {
	steps "$1"
	proxy_said=$(OPTIONS=-v python deliver "$target" one@fake.test \
		local@example.test two@fake.test)
	is "$(echo "$proxy_said" | grep '@[a-z.]* [0-9]*$')" \
		"one@fake.test 451
local@example.test 250
two@fake.test 451" "${3:-$1}: a temporary failure for whom it was"
	like "$proxy_said" "*451 4.4.0 <one@fake.test> Proxy failed ($2, session=*" \
		"... and it says: $2"
}
failure 'greeting close' 'connection lost'
failure 'greeting say 421 4.3.2 busy' 'connection lost'
failure 'greeting say 554 5.7.1 go away' connect
failure 'greeting hang' 'timed out'
failure 'lhlo say 502 5.5.1 what is that' connect
failure 'lhlo endless' 'bad reply'
failure 'mail close' 'connection lost'
failure 'rcpt half 25' 'connection lost'
failure 'rcpt say 250-2.1.5\n251 2.1.5' 'bad reply' 'two codes to RCPT'
failure 'rcpt say hello' 'bad reply'
failure 'rcpt hang' 'timed out'
failure 'rcpt endless' 'bad reply'
failure 'data close' 'connection lost'
failure 'data half 35' 'connection lost'
failure 'data hang' 'timed out'
failure 'dot close' 'connection lost'
failure 'dot hang' 'timed out'
steps 'dot few'
is "$(python deliver "$target" one@fake.test two@fake.test)" \
	"one@fake.test 250
two@fake.test 451" "an answer too few is a temporary failure for the last one"
steps 'dot many'
is "$(python deliver "$target" one@fake.test two@fake.test)" \
	"one@fake.test 250
two@fake.test 250" "one too many changes nothing"
is "$(server_deaths proxy)" "" "nothing of this has ended a process"

# ---- connections are kept ----

steps
python deliver "$target" one@fake.test >/dev/null
python deliver "$target" one@fake.test >/dev/null
python deliver "$target" one@fake.test >/dev/null
is "$(grep -c LHLO "$proxy_fake/log")" 1 \
	"three clients in a row share one connection"
is "$(told | tail -n 3)" "MAIL FROM:<ada@client.example>
RCPT TO:<one@fake.test>
DATA" "nothing is said between two messages"
steps 'rcpt one say 550 5.1.1 no'
python deliver "$target" one@fake.test >/dev/null
is "$(told | tail -n 1)" RSET "a transaction that came to nothing is taken back"
steps 'close idle'
python deliver "$target" one@fake.test >/dev/null
sleep 1
is "$(python deliver "$target" one@fake.test)" "one@fake.test 250" \
	"one that has closed meanwhile is replaced"
steps
python deliver "$target" one@fake.test >/dev/null
steps 'mail close'
is "$(python deliver "$target" one@fake.test)" "one@fake.test 451" \
	"one that closes at the first command is replaced once"
is "$(told | grep -c ^MAIL)" 2 "... and only once"

# The answer to RCPT would be that to the message, if one were counted wrongly.  Behind
# BDAT a late one cannot be told from it (docs/decisions/proxy.md).
# shellcheck disable=SC2317
extra_is_sent() {
	told | grep -q '^MORE$'
}
for proxy_extra in 'offer PIPELINING' 'offer SIZE'; do
	fresh "$proxy_extra" 'dot many'
	is "$(python deliver "$target" one@fake.test)" "one@fake.test 250" \
		"an answer too many behind the last is not that of a recipient"
	wait_for 10 extra_is_sent
	steps "$proxy_extra" 'dot say 550 5.7.1 no'
	# 451 where it was read while the next one was under way.
	like "$(verbose one@fake.test)" "[45]5[01] *" \
		"... nor one to the next message"
done
fresh smtp 'dot many'
python deliver "$target" smtp@fake.test smtq@fake.test >/dev/null
wait_for 10 extra_is_sent
steps smtp 'dot say 550 5.7.1 no'
like "$(verbose smtp@fake.test smtq@fake.test)" "[45]5[01] *[45]5[01] *" "... nor by SMTP"
fresh 'rcpt say 550 5.1.1 no' 'data say 354 send it'
is "$(python deliver "$target" one@fake.test two@fake.test)" "one@fake.test 550
two@fake.test 550" "a backend that refuses all is not asked to take the message"
is "$(told | grep -c '^DATA')" 0 "... whatever it would say to DATA"

# ---- what is offered is used ----

fresh 'offer PIPELINING' 'offer SIZE 1000' 'offer 8BITMIME' 'offer DSN' \
	'offer CHUNKING'
SENDER='' PARAMETERS=' SIZE=500' SIZE=300 python deliver "$target" one@fake.test \
	two@fake.test >/dev/null
is "$(told | grep -v '^LHLO')" "MAIL FROM:<> SIZE=500 BODY=8BITMIME
RCPT TO:<one@fake.test>
RCPT TO:<two@fake.test>
BDAT $(cat "$proxy_fake"/mail.* | wc -c) LAST" "parameters and chunks"

# ---- the session goes with the mail ----

xclient='offer XCLIENT ADDR PORT HELO LOGIN PROTO SESSION TTL TIMEOUT'
# The last XCLIENT without values that differ each time.
# shellcheck disable=SC2317
origin() {
	told | grep ^XCLIENT | tail -n 1 |
		sed 's/SESSION=[^ ]*/SESSION=x/; s/PORT=[1-9][0-9]*/PORT=1/'
}
# speak LINE...: each is said to the proxy and answered; the last answers.
# shellcheck disable=SC2317
speak() {
	python3 - "$TEST_SOURCE/tests/lib" 127.0.0.1:2452 "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
for line in sys.argv[3:]:
    reply = client.say(line)
    if line.startswith("DATA"):
        client.write(lmtp.mail("spoken") + b".\r\n")
        reply = client.reply()
    print("\n".join(reply))
END
}
fresh "$xclient"
speak 'XCLIENT ADDR=192.0.2.9 PORT=4711 HELO=mta.example TTL=4 TIMEOUT=99 SESSION=abcDEF LOGIN=amy' \
	'LHLO other.example' 'MAIL FROM:<ada@client.example>' \
	'RCPT TO:<one@fake.test> ORCPT=rfc822;first@fake.test' \
	'DATA' >/dev/null
is "$(told | grep ^XCLIENT)" "XCLIENT ADDR=192.0.2.9 PORT=4711 HELO=mta.example PROTO=LMTP LOGIN=amy SESSION=abcDEF TTL=3 TIMEOUT=2" \
	"a backend that offers XCLIENT is told of the client"
is "$(told | tail -n 3)" "MAIL FROM:<ada@client.example>
RCPT TO:<one@fake.test> ORCPT=rfc822;first@fake.test
DATA" "... and of the recipient that was meant first"
is "$(told | grep -c ^LHLO)" 2 "the greeting begins anew behind it"
fresh "$xclient"
speak 'MAIL FROM:<ada@client.example>' 'RCPT TO:<one@fake.test>' DATA \
	'MAIL FROM:<ada@client.example>' 'RCPT TO:<one@fake.test>' DATA >/dev/null
is "$(told | grep -c ^XCLIENT)" 1 \
	"a session whose connection knows it is not named twice"
is "$(origin)" "XCLIENT ADDR=127.0.0.1 PORT=1 HELO=client.example PROTO=LMTP SESSION=x TTL=4 TIMEOUT=2" \
	"it is told who the client is"
fresh "$xclient" 'xclient say 550 5.7.0 not you'
is "$(python deliver "$target" one@fake.test)" "one@fake.test 451" \
	"an XCLIENT that is refused is a temporary failure"
like "$(speak 'XCLIENT TTL=1' 'LHLO x.example' 'MAIL FROM:<>' \
	'RCPT TO:<one@fake.test>' | tail -n 1)" \
	"554 5.4.6 <one@fake.test> Proxying appears to be looping (TTL=0)" \
	"a message that has passed too many proxies is refused"
proxy_id=$(OPTIONS=-v python deliver "$target" amy@example.test |
	sed -n 's/^250 2.0.0 <amy@example.test> \([^ ]*\) Saved$/\1/p')
like "$(grep -F "$proxy_id" "$TEST_WORK/log/back.log")" "*lmtp(amy@example.test)*" \
	"the session of the backend has the name of ours"
like "$(verbose self@example.test)" \
	"554 5.4.6 <self@example.test> Proxying loops to itself" \
	"so is one that this server would send to itself"
fresh "$xclient"
python deliver "$target" dest@fake.test >/dev/null
is "$(told | grep ^RCPT)" \
	"RCPT TO:<other@fake.test> ORCPT=rfc822;dest@fake.test" \
	"destuser is another recipient there, who knows the first one"

fresh 'offer XRCPTFORWARD'
python deliver "$target" forward@fake.test >/dev/null
is "$(told | grep ^RCPT)" \
	"RCPT TO:<forward@fake.test> XRCPTFORWARD=$(printf 'a=1\tb=two' | base64)" \
	"forward_ fields go along"
python deliver 127.0.0.1:2452 port@example.test >/dev/null
like "$(grep Error: "$TEST_WORK/log/proxy.log" | tail -n 1)" \
	"*127.0.0.2:2452: connect: *" "the port is that on which the client came in"

# ---- TLS ----

fresh tls
is "$(python deliver "$target" plain@tls.test any@tls.test)" \
	"plain@tls.test 250
any@tls.test 250" "mail goes by TLS from the beginning where the record says so"
fresh 'offer STARTTLS' 'offer PIPELINING'
is "$(python deliver "$target" start@tls.test lax@tls.test)" \
	"start@tls.test 250
lax@tls.test 250" "... and by STARTTLS"
is "$(told | grep -c '^LHLO')" 4 "what was said before counts for nothing"
is "$(python deliver "$target" wrong@tls.test)" "wrong@tls.test 451" \
	"no mail for a host whose certificate has another name"
like "$(grep Error: "$TEST_WORK/log/proxy.log" | tail -n 1)" \
	"*127.0.0.1:2451: connect: the certificate of other.example is not good: *" \
	"the log says why"
fresh
is "$(python deliver "$target" start@tls.test)" "start@tls.test 451" \
	"none in the clear where TLS was wanted"
fresh 'offer STARTTLS' 'starttls say 220 2.0.0 Go\n250 before TLS'
is "$(python deliver "$target" start@tls.test)" "start@tls.test 451" \
	"none for one that speaks ahead of TLS"
fresh 'offer STARTTLS' 'starttls say 454 4.7.0 no'
is "$(python deliver "$target" start@tls.test)" "start@tls.test 451" \
	"none for one that has no TLS now"

# ---- long messages, many at a time ----

fresh 'offer PIPELINING' 'offer CHUNKING'
is "$(SIZE=3000000 python deliver "$target" one@fake.test)" "one@fake.test 250" \
	"a long message is passed on as chunks"
is "$(cat "$proxy_fake"/mail.* | wc -c)" \
	"$(sed -n 's/.*BDAT \([0-9]*\) LAST/\1/p' "$proxy_fake/log")" "... whole"
fresh
is "$(SIZE=3000000 python deliver "$target" one@fake.test amy@example.test)" \
	"one@fake.test 250
amy@example.test 250" "... and behind DATA"
python deliver "$target" from@fake.test >/dev/null
is "$(python deliver "$target" from@fake.test)" "from@fake.test 250" \
	"source_ip is an address of ours"

# ---- a client that does not hear the answer ----

rm -rf "$TEST_WORK/home/amy/Maildir" "$TEST_WORK/home/bob/Maildir"
python retry 127.0.0.1:2452 100 7 amy@example.test bob@example.test \
	>"$TEST_WORK/answered-proxy" 2>"$TEST_WORK/retry-errors-proxy"
is "$(cat "$TEST_WORK/retry-errors-proxy")" "" \
	"a client that cuts its connection and comes again finds an end"
mkdir "$TEST_WORK/passed"
ln -s "$TEST_WORK/home/amy" "$TEST_WORK/home/bob" "$TEST_WORK/passed"
is "$(python stored "$TEST_WORK/passed" "$TEST_WORK/answered-proxy" | head)" "" \
	"each message is there exactly once"
fresh
# One that goes when the message has been sent on.
# shellcheck disable=SC2317
vanish() {
	python3 - "$TEST_SOURCE/tests/lib" "$proxy_fake/log" <<'END'
import sys, time
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client("127.0.0.1:2452")
client.begin("ada@client.example", ["one@fake.test"])
client.say("DATA", "354")
client.write(lmtp.mail("again") + b".\r\n")
client.reply()
client.close()
END
}
vanish
wait_for 10 grep -q DATA "$proxy_fake/log"
vanish
is "$(told | grep -c '^DATA')" 1 \
	"what was taken is not sent again when the client comes back"
is "$(grep -c '<one@fake.test> was taken before' "$TEST_WORK/log/proxy.log")" 1 \
	"the log tells of it"
SUBJECT=same python deliver "$target" one@fake.test >/dev/null
SUBJECT=same python deliver "$target" one@fake.test >/dev/null
is "$(told | grep -c '^DATA')" 3 "what was confirmed is sent again"

# shellcheck disable=SC2317
metric() {
	"$doorstep" -c "$TEST_WORK/proxy.conf" metrics | grep -F "$1" |
		sed 's/.* //'
}
# shellcheck disable=SC2317
has_metric() {
	[ "$(metric "$1")" -gt "$2" ]
}
ok "the metrics name backends" wait_for 10 has_metric \
	'doorstep_backend_deliveries_total{backend="127.0.0.1:2451",result="temporary"}' 9
ok "... and what they all have taken" wait_for 10 has_metric \
	'doorstep_proxy_deliveries_total{result="delivered"}' 99

# ---- the end of the process ----

fresh 'dot hang'
python deliver "$target" one@fake.test >"$TEST_WORK/killed" &
proxy_waiting=$!
wait_for 10 grep -q DATA "$proxy_fake/log"
kill -9 "$(pgrep -P "$server_pid" -f -- --child=proxy)"
wait "$proxy_waiting"
is "$(cat "$TEST_WORK/killed")" "one@fake.test 451" \
	"a proxy that is killed is a temporary failure"
fresh
# shellcheck disable=SC2317
is_back() {
	[ "$(python deliver "$target" one@fake.test)" = "one@fake.test 250" ]
}
ok "another one is started" wait_for 10 is_back
fresh 'dot hang'
python deliver "$target" one@fake.test >"$TEST_WORK/reloaded" &
proxy_waiting=$!
wait_for 10 grep -q DATA "$proxy_fake/log"
"$doorstep" -c "$TEST_WORK/proxy.conf" reload >/dev/null
steps
wait_for 10 is_back
wait "$proxy_waiting"
is "$(cat "$TEST_WORK/reloaded")" "one@fake.test 451" \
	"a reload waits for what is under way"
is "$(python deliver "$target" one@fake.test)" "one@fake.test 250" \
	"what comes next goes by the new one"
server_stop
is $? 0 "the server stops"
server_pid=$proxy_back_pid
server_stop
