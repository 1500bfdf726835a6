#!/bin/sh
# What is kept of each delivery, and what `doorstep explain` makes of it.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

install -m 755 "$TEST_BUILD/ctl/doorstep" bin/doorstep
kept=$home/.doorstep-explain
echo "lda_mailbox_autocreate = yes" >>"$conf"

# explain ARGUMENT...: as the user; sets $status, $out and $err.
explain() {
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C $environment \
		"$TEST_WORK/bin/doorstep" -c "$conf" explain "$@" >.out 2>.err
	status=$?
	out=$(cat .out)
	err=$(cat .err)
}
# says NAME PATTERN: one line of what was said is like this.
says() {
	if grep -q -- "$2" .out; then
		pass "$1"
	else
		fail "$1" "no line is like $2" "$out" "$err" "$(cat "$log" 2>&1)"
	fi
}
# json EXPRESSION: of the last document as d.
json() {
	python3 -c 'import json,sys; d = json.load(open(".out")); print(eval(sys.argv[1]))' "$1"
}

# ---- which rule ----

fresh
script <<'END'
require ["fileinto", "copy"];
if header :contains "subject" "nothing" {
	discard;
} elsif header :contains "subject" "hello" {
	redirect :copy "bo@example.org";
	fileinto "Lists";
}
END
lda -f ada@client.example -a amy+x@example.test -r amy@example.test
is "$status:$(count .Lists)" 0:1 "a message is filed by a rule"
explain '<hello@client.example>'
is "$status:$err" 0: "its Message-ID finds it"
says "the rule is named by script and line" \
	"Filed into \"Lists\" by $home/.dovecot.sieve:6, in the rule of line 4\$"
says "a redirect is told" 'Sent: redirect "bo@example.org" by .*\.dovecot\.sieve:5'
says "the name of the file is told" "    as $(basename "$(stored .Lists)")\$"
says "so are the envelope" "from ada@client.example to amy@example.test, user amy"
says "and the scripts" "Script $home/.dovecot.sieve has run\\."
explain hello@client.example
is "$status" 0 "the brackets may be missing"
file=$(stored .Lists)
explain "$file"
is "$status" 0 "its file finds it"
says "and tells the same" 'Filed into "Lists" by'
as_user mv "$file" "$home/Maildir/.Lists/cur/$(basename "$file"):2,S"
explain "$home/Maildir/.Lists/cur/$(basename "$file"):2,S"
is "$status" 0 "also when a mail client has given it flags"
explain "$(basename "$file")"
is "$status" 0 "and by its name alone"
as_user cp "$home/Maildir/.Lists/cur/$(basename "$file"):2,S" "$home/other"
explain "$home/other"
is "$status" 0 "a file of any name is found by the Message-ID in it"
session=$(sed 's/.*"session":"\([^"]*\)".*/\1/' "$kept")
explain "$session"
is "$status" 0 "and the session of the log by its id"
explain --json '<hello@client.example>'
is "$(json 'len(d), [(a["action"], a.get("target"), a["line"], a["column"], a["result"]) for a in d[0]["actions"]]')" \
	"(1, [('redirect', 'bo@example.org', 5, 2, 'sent'), ('fileinto', 'Lists', 6, 2, 'filed')])" \
	"for programs there is JSON"
is "$(json '[d[0][k] for k in ("message_id", "sender", "recipient", "original", "user", "service", "outcome")]')" \
	"['hello@client.example', 'ada@client.example', 'amy@example.test', 'amy+x@example.test', 'amy', 'lda', 'saved']" \
	"with the whole envelope"
is "$(json 'd[0]["actions"][1]["file"]')" "$(basename "$file")" "and the file"
is "$(stat -c %a "$kept")" 600 "nobody else may read what is kept"

fresh
printf 'require "fileinto";\nfileinto "INBOX";\nkeep;\n' | script
lda
explain '<hello@client.example>'
says "a copy that two actions want is told" 'Filed into "INBOX" by .*:2$'
says "of the second one, too" \
	'Nothing more for keep "INBOX" by .*:3: an earlier action has filed it there$'

# ---- no rule ----

fresh
lda
explain '<hello@client.example>'
says "without a script the implicit keep is told" \
	'Filed into "INBOX" by the implicit keep: there is no script$'
fresh
echo 'stop;' | script
lda
explain '<hello@client.example>'
says "and that no rule has done anything" \
	'by the implicit keep: no rule has filed it elsewhere$'
fresh
echo 'keep; bogus;' | script
lda
explain '<hello@client.example>'
says "a script in error is named with its line" \
	"Script $home/.dovecot.sieve was in error, so the message is kept: line 1: "
says "and is why it is kept" \
	'Filed into "INBOX" by the implicit keep: a script was in error$'
fresh
echo 'discard;' | script
lda
explain '<hello@client.example>'
says "what discarded it is told" "Wanted: discard by .*:1\$"
says "and that there is no copy" "No copy was filed"
fresh
echo 'require "fileinto"; fileinto "Gone";' | script
lda -o lda_mailbox_autocreate=no
explain '<hello@client.example>'
says "a folder that is missing is told" \
	'Filed into "INBOX" by .*:1: the folder could not be used$'
fresh
printf 'require "include"; include "other";\n' | script
mkdir "$home/sieve"
printf '\n\nrequire "fileinto";\nfileinto "Lists";\n' >"$home/sieve/other.sieve"
lda
explain '<hello@client.example>'
says "an included script is named itself" "by $home/sieve/other.sieve:4"
fresh
echo 'require "fileinto"; fileinto "Early";' >before.sieve
lda -o "sieve_before=$TEST_WORK/before.sieve"
explain '<hello@client.example>'
says "so is one of the admin's" "by $TEST_WORK/before.sieve:1"

# ---- refused, or to be tried again ----

fresh
echo 'require "ereject"; ereject "Not you";' | script
lda -e
is "$status" 77 "a script refuses"
explain '<hello@client.example>'
says "its rule is told" "Refused: ereject by .*:1\$"
says "and its reason" "Refused: 5.7.1 Not you"
explain --json '<hello@client.example>'
is "$(json 'd[0]["outcome"], d[0]["status"], d[0]["actions"][0]["target"]')" \
	"('refused', '5.7.1', 'Not you')" "in JSON as well"
fresh
lda -e -o quota=maildir:User -o quota_rule='*:storage=1B' -o quota_grace=0
is "$status:$(everything)" 77:0 "there is no room"
explain '<hello@client.example>'
says "which is told" "Refused: 5.2.3 Quota exceeded"
says "and that nothing was filed" "Not done: keep \"INBOX\" by the implicit keep"
fresh
echo 'redirect "bo@example.org";' | script
lda -o sendmail_path=/bin/false
is "$status" 75 "a redirect fails"
explain '<hello@client.example>'
says "that it is to be tried again" "Not delivered, to be tried again: 4"
says "and what was not done" 'Not done: redirect "bo@example.org" by .*:1$'

# ---- what a message brings along ----

# given: one delivery of the file of that name
given() {
	fresh
	input=given
	lda
	input=message
	is "$status:$(wc -l <"$kept" | tr -d ' ')" 0:1 "it is one line"
}
printf 'Message-ID:\n <a"},{"time":1,"user":"root\\@b>\nSubject: x\n\n' >given
given
explain '<a"},{"time":1,"user":"root\@b>'
is "$status" 0 "a Message-ID with quotes is found"
says "and nothing of it is taken for a line of its own" \
	'<a"},{"time":1,"user":"root\\@b>$'
printf 'Message-ID: <\033]0;own\007\000\377\r@b>\n\n' >given
given
explain "$(stored)"
is "$status" 0 "one with control characters is found by its file"
is "$(tr -d '\n' <.out | tr -cd '[:cntrl:]')" "" "and leaves the terminal alone"
printf 'Subject: x\n\n' >given
given
explain "$(stored)"
says "a message without one is found by its file" "without a Message-ID"
python3 -c 'print("Message-ID: <" + "a" * 100000 + "@b>\n")' >given
given
explain "$(stored)"
is "$status:$(($(wc -c <"$kept") < 3000))" 0:1 "a very long one is cut"
python3 -c '
print("require [\"fileinto\", \"copy\"];")
for i in range(500):
    print("fileinto :copy \"" + "\\\\" * 200 + "%d\";" % i)' >big.sieve
fresh
script <big.sieve
lda -o sieve_max_actions=0 -o lda_mailbox_autocreate=no
explain --json '<hello@client.example>'
is "$status:$(json 'len(d[0]["actions"]) > 10 and len(d[0]["actions"]) + d[0]["dropped"]')" \
	0:501 "of very many actions the first ones are kept, and how many more"
# A disk that is full may have taken a part of a line.
fresh
lda
as_user sh -c "printf '{\"time\":1,\"session\":\"cut' >>'$kept'"
lda
explain '<hello@client.example>'
is "$status:$(grep -c 'Filed into' .out)" 0:2 "a part of a line spoils no other"

# ---- how much is kept ----

fresh
i=0
while [ $i -lt 40 ]; do
	lda -o explain_log_size=4k
	i=$((i + 1))
done
is "$(($(stat -c %s "$kept") < 5000)):$(($(stat -c %s "$kept.0") < 5000))" 1:1 \
	"the file and the older one are bounded"
is "$(find "$home" -name '.doorstep-explain*' | wc -l | tr -d ' ')" 2 \
	"and there is no third"
explain
is "$status:$(grep -c 'Filed into' .out)" 0:10 "without a name the last ten are told"
explain '<older@client.example>'
is "$status" 1 "what is not kept any more is not found"
like "$err" "*nothing is kept of <older@client.example>: what $kept holds begins at 20*" \
	"with the time from which on it would be"
is "$out" "" "and nothing is invented"
fresh
lda -o explain_log=
not_ok "explain_log = (empty) keeps nothing" test -e "$kept"
explain -o explain_log= hello@client.example
is "$status" 1 "nothing is found then"
like "$err" "*explain_log is empty: nothing is kept*" "with the reason"
explain hello@client.example
is "$status" 1 "where nothing was delivered nothing is found"
fresh
lda -o 'explain_log=~/my-log'
ok "explain_log names the file" grep -q hello "$home/my-log"

# ---- what stands in the way ----

# shellcheck disable=SC2043 # one of them needs no more
for what in "mkfifo '$kept'" "mkdir '$kept'" "ln -s '$home/elsewhere' '$kept'"; do
	fresh
	as_user sh -c "$what"
	lda
	is "$status:$(count)" 0:1 "mail is delivered after $what"
	not_ok "nothing is written elsewhere" test -e "$home/elsewhere"
done
fresh
as_user sh -c "umask 077; mkdir -p '$home/Maildir/new' '$home/Maildir/cur' \
	'$home/Maildir/tmp'; chmod 500 '$home'"
lda -o log_path=/dev/stderr
is "$status:$(count)" 0:1 "mail is delivered where the home takes no file"
explain hello@client.example
is "$status" 1 "nothing is kept then"
like "$err" "*nothing is kept for user amy: $kept is not there*" "which is told"
as_user chmod 700 "$home"

# ---- many at once ----

fresh
i=0
while [ $i -lt 50 ]; do
	sed "s/hello@/n$i@/" message >"many.$i"
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C $environment \
		"$program" -c "$conf" -o explain_log_size=8k \
		-f "$(printf '%0200d' 0)@client.example" <"many.$i" &
	i=$((i + 1))
done
wait
is "$(count)" 50 "fifty deliveries at once"
is "$(cat "$kept"* | python3 -c '
import json, sys
print(len({json.loads(line)["message_id"] for line in sys.stdin}) > 8)')" True \
	"leave only whole lines"
fresh
i=0
while [ $i -lt 50 ]; do
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C $environment \
		"$program" -c "$conf" <"many.$i" &
	i=$((i + 1))
done
wait
is "$(python3 -c '
import json, sys
print(len({json.loads(line)["message_id"] for line in sys.stdin}))' <"$kept")" 50 \
	"and none is lost where there is room"

# ---- who may ask ----

cat >"$conf.users" <<END
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
first_valid_uid = 1
END
cat "$conf.users" >>"$conf"
mkdir other
cat >users <<END
amy:x:$lda_uid:$lda_uid::$home::
bob:x:$((lda_uid + 1)):$lda_uid::$TEST_WORK/other::
END
fresh
lda
explain -u amy '<hello@client.example>'
is "$status" 0 "a user is named by -u"
explain -u bob '<hello@client.example>'
is "$status:$out" 1: "of another user nothing is told"
like "$err" "*may be looked at by uid $((lda_uid + 1)) and root; you are uid $lda_uid*" \
	"plainly"
explain -u nobody
is "$status" 67 "a user whom nobody knows"
like "$err" "*nobody: mail for it is refused: 5.1.1 *" "is why mail is refused"
if [ "$(id -u)" -eq 0 ]; then
	environment="USER=root HOME=/root"
	as_user() {
		"$@"
	}
	explain '<hello@client.example>'
	is "$status" 0 "root finds it without a user"
	says "and is told whose it is" "user amy\$"
	explain -u bob '<hello@client.example>'
	is "$status" 1 "it is not found with another user"
	explain "$(stored)"
	is "$status" 0 "and by its file"
	# Who has the home may put anything there.
	rm -f "$kept"
	ln -s /etc/shadow "$kept"
	explain -u amy '<hello@client.example>'
	is "$status" 75 "a link is not followed"
fi
explain --bogus
is "$status" 64 "an option that there is not is refused"
done_testing
