#!/bin/sh
# What mail leaves by hangs, or a program does: only mail that needs it waits.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

UNRELATED=50

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
settings() {
	{
		cat base.conf
		printf '%s\n' "$@"
	} >"$conf"
}
# send_named USER ID [SENDER...]: a message from each; the replies.
send_named() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2], timeout=90)
user, name = sys.argv[3:5]
for sender in sys.argv[5:] or ["ada"]:
    sender += "@partner.example"
    text = "From: %s\r\nTo: %s@x\r\nMessage-ID: <%s@x>\r\n\r\nx\r\n"
    replies = client.send_message(sender, [user],
                                  (text % (sender, user, name)).encode())
    print(*replies[0])
client.quit()
END
}
# send_many USER COUNT: so many messages on some connections; how many were saved.
send_many() {
	python3 - "$TEST_SOURCE/tests/lib" "$base/lmtp" "$@" <<'END'
import sys, threading
sys.path.insert(0, sys.argv[1])
import lmtp
user, count = sys.argv[3], int(sys.argv[4])
saved, lock = [], threading.Lock()
def work(numbers):
    client = lmtp.Client(sys.argv[2], timeout=90)
    for number in numbers:
        reply = client.send_message("ada@partner.example", [user],
                                    lmtp.mail("unrelated %d" % number))[0][-1]
        with lock:
            saved.append(reply.startswith("250"))
    client.quit()
threads = [threading.Thread(target=work, args=[range(own, count, 5)])
           for own in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(saved))
END
}
# hang PLACE: from now on the relay does; relent: no longer.
hang() {
	echo "$1" >"$relay/hang.new"
	mv "$relay/hang.new" "$relay/hang"
}
relent() {
	rm -f "$relay/hang"
	soon hanging 0
}
# hanging N: so many sessions with the relay hang.
hanging() {
	[ "$(cat "$relay/hanging" 2>/dev/null || echo 0)" = "$1" ]
}
# has_lines N FILE
has_lines() {
	[ "$(wc -l <"$2")" -eq "$1" ]
}
# waiting PID...: how many of these clients still wait.
waiting() {
	for pid; do
		kill -0 "$pid" 2>/dev/null && echo
	done | wc -l
}
# left NAME: how many messages NAME.N the relay has.
left() {
	cat "$relay"/[0-9]* 2>/dev/null | grep -c "^Message-ID: <$1\.[0-9]*@x>"
}
# retry USER ID REPLY: comes again with what had this reply, if that was 4xx.
retry() {
	case $(cat "$3") in
	4*) like "$(send_named "$1" "$2")" "250 *" "$2 comes again and leaves" ;;
	*) like "$(cat "$3")" "250 *" "$2 has left after all" ;;
	esac
}

cat >>"$conf" <<END
mail_location = maildir:~/%n
sieve = ~/%n.sieve
submission_timeout = 60 secs
mailer_process_limit = 8
lmtp_user_concurrency_limit = 0
lookup_timeout = 3 secs
service lmtp {
  process_limit = 4
}
END
cp "$conf" base.conf
for user in fay fred; do
	echo "redirect \"$user@elsewhere.example\";" >"$home/$user.sieve"
done

# ---- redirects, the relay hangs ----

relay one
settings "submission_host = 127.0.0.1:$port"
ok "the server starts" start
for place in banner rcpt dot; do
	rm -rf "$home/amy"
	hang $place
	send_named fay "$place.1" >reply.1 &
	first=$!
	soon hanging 1
	send_named fred "$place.2" >reply.2 &
	second=$!
	ok "the relay hangs at $place, two redirects wait for it" \
		soon hanging 2
	like "$(send_named fay "$place.3")" "451 4.3.2 *" \
		"a third one is put off at once"
	is "$(send_many amy $UNRELATED)" $UNRELATED \
		"$UNRELATED messages that have nothing to do with it are filed"
	is "$(waiting $first $second)" 2 "while the two still wait"
	unlike "$(cat reply.1 reply.2)" "*250*" "nobody was promised anything"
	relent
	wait $first $second
	retry fay "$place.1" reply.1
	retry fred "$place.2" reply.2
	like "$(send_named fay "$place.3")" "250 *" \
		"the relay is back, and what was put off leaves"
	is "$(left "$place")" 3 "each of them once"
done
like "$(cat "$log")" "*as many deliveries as may are waiting until mail is taken (mailer_wait_limit)*" \
	"the log tells why some were put off"

# ---- who asked dies when the mail has left ----

# marks LEAST: state tells of so many redirects.
marks() {
	[ "$(redirects)" -ge "$1" ]
}
# redirects: how many marks of them there are.
redirects() {
	"$TEST_BUILD/ctl/doorstep" -c "$conf" metrics |
		sed -n 's/^doorstep_memory_marks{kind="redirect"} //p'
}
rm -rf "$relay"/[0-9]*
before=$(redirects)
hang taken
send_named fay orphan.1 >reply.1 &
first=$!
ok "the relay has the message and hangs" soon hanging 1
workers=$(pgrep -P "$server" -f -- "--child=worker\$")
# shellcheck disable=SC2086 # a list
kill -STOP $workers
relent
ok "it has left, and the mailer has told state" soon marks $((before + 2))
# shellcheck disable=SC2086
kill -9 $workers
wait $first
like "$(cat reply.1)" "451 *" "the worker dies before it knows"
like "$(send_named fay orphan.1)" "250 *" "the retry is taken"
is "$(left orphan)" 1 "and forwards nothing again"
like "$(send_named fay orphan.2)" "250 *" "another message"
is "$(left orphan)" 2 "is forwarded"

# ---- the mailer hangs ----

mailer=$(process mailer)
kill -STOP "$mailer"
send_named fay stop.1 >reply.1 &
first=$!
send_named fred stop.2 >reply.2 &
second=$!
is "$(send_many amy $UNRELATED)" $UNRELATED \
	"a mailer that hangs holds up no other mail"
ok "another one takes its place" soon is_new mailer "$mailer"
wait $first $second
like "$(cat reply.1)$(cat reply.2)" "250 *250 *" \
	"which serves those that the old one had not heard yet"
is "$(left stop)" 2 "once"
stop

# ---- sendmail hangs ----

cat >sendmail <<END
#!/bin/sh
echo \$\$ >>"$home/sendmails"
exec sleep 1000
END
chmod 755 sendmail
settings "sendmail_path = $TEST_WORK/sendmail" "submission_timeout = 60 secs"
ok "the server starts with a sendmail that hangs" start
rm -rf "$home/amy"
send_named fay sendmail.1 >reply.1 &
first=$!
ok "it hangs" soon has_lines 1 "$home/sendmails"
send_named fred sendmail.2 >reply.2 &
second=$!
ok "twice" soon has_lines 2 "$home/sendmails"
like "$(send_named fay sendmail.3)" "451 4.3.2 *" \
	"a third redirect is put off at once"
is "$(send_many amy $UNRELATED)" $UNRELATED \
	"$UNRELATED messages that have nothing to do with it are filed"
is "$(waiting $first $second)" 2 "while the two still wait"
mailer=$(process mailer)
carriers=$(pgrep -P "$mailer")
# shellcheck disable=SC2046,SC2086 # lists
kill -9 "$mailer" $carriers $(cat "$home/sendmails")
wait $first $second
like "$(cat reply.1)$(cat reply.2)" "451 *451 *" \
	"mailer and carriers are killed, and who waited comes again"
ok "another mailer takes its place" soon is_new mailer "$mailer"
stop

# ---- a way out that is dead ----

relay two
settings "submission_host = 127.0.0.1:$port" "mailer_failure_limit = 2"
hang close
ok "the server starts with a relay that is dead" start
like "$(send_named fay dead.1)$(send_named fay dead.2)" "451 *451 *" \
	"two redirects find that out"
ok "the log tells" grep -q 'Error: The way out for mail does not work' "$log"
hang banner
send_named fay dead.1 >reply.1 &
first=$!
ok "one at a time tries" soon hanging 1
like "$(send_named fred dead.3)" "451 4.4.1 *" "others are put off at once"
ok "and the log tells why" grep -q \
	'what mail leaves by does not answer (mailer_failure_limit)' "$log"
is "$(waiting $first)" 1 "while the one still tries"
relent
wait $first
like "$(cat reply.1)" "451 *" "which is put off in the end"
like "$(send_named fay dead.1)" "250 *" "the relay is back, and the next one leaves"
ok "the log tells" grep -q 'The way out for mail works again' "$log"
like "$(send_named fay dead.2)$(send_named fred dead.3)" "250 *250 *" \
	"from then on all do"
is "$(left dead)" 3 "each of them once"
stop

# ---- answers ----

# answers: how many the relay has; to SENDER: how many of them.
answers() {
	cat "$relay"/[0-9]* 2>/dev/null | grep -c '^RCPT TO:<'
}
answers_to() {
	cat "$relay"/[0-9]* 2>/dev/null | grep -c "^RCPT TO:<$1@"
}
has_answers() {
	[ "$(answers)" = "$1" ]
}
# dropped N: as many could not be left with the mailer.
dropped() {
	[ "$(grep -c 'failed to send vacation response .*(mailer_notice_limit' \
		"$log")" = "$1" ]
}
relay three
settings "submission_host = 127.0.0.1:$port" "mailer_notice_limit = 10" \
	"mailer_retry_interval = 100 msecs" "sieve_user_email = vic@example.test" \
	"mailer_failure_limit = 3"
cat >"$home/vic.sieve" <<'END'
require "vacation";
vacation :addresses "vic@x" "I am away.";
END
hang banner
ok "the server starts" start
rm -rf "$home/amy"
senders=$(seq -f s%g 15)
# shellcheck disable=SC2086 # a list
is "$(send_named vic vacation $senders | grep -c '^250')" 15 \
	"15 messages to somebody who is away are filed while the relay hangs"
is "$(send_many amy $UNRELATED)" $UNRELATED "so are $UNRELATED others"
ok "the mailer holds ten answers, and tells of five that it does not" \
	soon dropped 5
is "$(answers)" 0 "none has left"
relent
ok "the relay is back, and ten leave" soon has_answers 10
is "$(answers_to s1):$(answers_to s10):$(answers_to s11)" 1:1:0 \
	"to those who wrote first, once each"
ok "which is in the log, with the session" grep -q \
	'mailer.*sent vacation response to <s1@partner.example>: user=<vic>, session=<..*>' \
	"$log"
send_named vic again s1 s11 >/dev/null
ok "who had no answer gets one for the next message" soon has_answers 11
is "$(answers_to s11):$(answers_to s1)" 1:1 "who had one does not"
mailer=$(process mailer)
kill -STOP "$mailer"
like "$(send_named vic stopped t1 t2 t3)" "250 *250 *250 *" \
	"nobody waits for a mailer that hangs"
ok "the next one finds what was left for it" soon has_answers 14
like "$(send_named vic slow slow)" "250 *" "an answer takes its time"
ok "the server ends" stop
is "$(answers_to slow)" 1 "after it has left"

settings "submission_host = 127.0.0.1:$port" "mailer_failure_limit = 1" \
	"mailer_retry_interval = 100 msecs" "sieve_user_email = vic@example.test"
ok "the server starts" start
like "$(send_named vic closed busy)" "250 *" \
	"the relay hangs up on each answer to somebody"
ok "so that the way out seems not to work" soon grep -q \
	'way out for mail does not work: 1 hand-overs' "$log"
like "$(send_named vic open u1)" "250 *" "one to somebody else"
ok "leaves all the same" soon grep -q \
	'sent vacation response to <u1@partner.example>' "$log"
stop

hang close
ok "the server starts with a relay that is dead" start
like "$(send_named vic reload v1 v2)" "250 *250 *" "two answers cannot leave"
ok "which they try" soon grep -q 'way out for mail does not work' "$log"
mailer=$(process mailer)
kill -HUP "$server"
ok "a reload starts another mailer" soon is_new mailer "$mailer"
like "$(send_named vic reload v3)" "250 *" "that has one as well"
relent
for name in v1 v2 v3; do
	ok "the relay is back, and $name leaves" soon grep -q \
		"sent vacation response to <$name@partner.example>" "$log"
done
ok "the old mailer ends" soon has_ended "$mailer"
stop
hang close
ok "the server starts again with it dead" start
like "$(send_named vic reload v4)" "250 *" "an answer cannot leave"
mailer=$(process mailer)
kill -HUP "$server"
ok "a reload starts another mailer" soon is_new mailer "$mailer"
ok "the server ends all the same" stop
ok "the answer is dropped then" grep -q \
	'failed to send vacation response to <v4@.*the server ends' "$log"

hang close
settings "submission_host = 127.0.0.1:$port" "mailer_failure_limit = 3" \
	"mailer_retry_interval = 100 msecs" "sieve_user_email = vic@example.test"
ok "the server starts with a relay that is dead" start
like "$(send_named vic last t4)" "250 *" "an answer cannot leave"
ok "the server ends all the same" stop
ok "and the log tells of it" grep -q \
	'failed to send vacation response to <t4@.*the server ends' "$log"

# ---- programs ----

mkdir programs
cat >programs/hang <<END
#!/bin/sh
echo \$\$ >>"$home/programs"
exec sleep 1000
END
chmod 755 programs/hang
settings "sieve_execute_bin_dir = $TEST_WORK/programs" \
	"sieve_pipe_bin_dir = $TEST_WORK/programs" \
	"sieve_execute_exec_timeout = 60s" "sieve_pipe_exec_timeout = 60s"
cat >"$home/eve.sieve" <<'END'
require "vnd.dovecot.execute";
if execute "hang" { discard; }
END
cat >"$home/pia.sieve" <<'END'
require "vnd.dovecot.pipe";
pipe "hang";
END
ok "the server starts" start
rm -rf "$home/amy"
send_named eve 1 >reply.1 &
first=$!
ok "a program hangs" soon test -s "$home/programs"
like "$(send_named eve 2)" "451 4.3.2 *" "a second one is put off at once"
like "$(send_named pia 3)" "451 4.3.2 *" "so is one that a message is piped to"
is "$(find "$home/eve" "$home/pia" -type f -path '*/new/*' 2>/dev/null | wc -l)" 0 \
	"and nothing of them is filed"
is "$(send_many amy $UNRELATED)" $UNRELATED \
	"$UNRELATED messages without programs are filed"
is "$(waiting $first)" 1 "while it still hangs"
kill -9 "$(cat "$home/programs")"
wait $first
like "$(cat reply.1)" "250 *" "when it has ended the message is filed"
rm "$home/programs"
send_named pia 4 >reply.1 &
first=$!
ok "the place is free again" soon test -s "$home/programs"
kill -9 "$(cat "$home/programs")"
wait $first
stop
done_testing
