#!/bin/sh
# The answers of vacation (RFC 5230, 6131, 8580), as they are handed over.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

answers=$home/answers
# Each answer is a file of its own.
cat >bin/sendmail <<END
#!/bin/sh
mkdir -p "$answers"
name=\$(mktemp "$answers/XXXXXX")
{ printf 'Arguments: %s\n' "\$*"; cat; } >"\$name"
END
plain() {
	fresh
	script <<'END'
require "vacation";
vacation "I am away.";
END
}
sent() {
	find "$answers" -type f 2>/dev/null | wc -l | tr -d ' '
}
# finds NAME TEST...: what tests/lda/vacation.py makes of the only answer.
finds() {
	name=$1
	shift
	if why=$(cat "$answers"/* 2>&1 |
		python3 "$TEST_SOURCE/tests/lda/vacation.py" "$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$why" "$(cat "$answers"/* 2>&1)" \
			"$(cat "$log" 2>&1)"
	fi
}
envelope="-f ada@client.example -d amy@example.test"
answer() {
	# shellcheck disable=SC2086 # several words
	lda $envelope "$@"
}
# An LDA that runs as the user asks no user database for -d of itself.
cat >>"$conf" <<END
userdb {
  driver = static
  args = uid=$lda_uid gid=$lda_uid home=$home allow_all_users=yes
}
first_valid_uid = 1
END

# ---- what is sent ----

plain
answer
is "$status:$(everything):$(sent)" 0:1:1 "a message is filed and answered"
finds "the answer is what RFC 5230 5 wants" \
	"arguments=-i -f <> -- ada@client.example" \
	"From=amy@example.test" "To=Ada <ada@client.example>" \
	"Subject=Auto: Hello" "In-Reply-To=<hello@client.example>" \
	"References=<hello@client.example>" \
	"Auto-Submitted=auto-replied (vacation)" "Precedence=bulk" \
	"X-Auto-Response-Suppress=All" "text=I am away." "id=mx.example.test"
ok "the log tells of it" grep -q \
	'sent vacation response to <ada@client.example>' "$log"
answer
is "$status:$(everything):$(sent)" 0:2:1 "the sender gets it once"
answer -f bo@client.example
is "$(sent)" 2 "another sender gets it, too"

plain
answer -o sieve_vacation_send_from_recipient=yes
finds "the envelope's sender may be the user" \
	"arguments=-i -f amy@example.test -- ada@client.example"

plain
answer -o sieve_vacation_send_from_recipient=yes -o sendmail_dsn=yes
finds "then its failure is reported to nobody (RFC 5230 5.1)" \
	"arguments=-i -f amy@example.test -N never -- ada@client.example"

fresh
script <<'END'
require ["vacation", "variables"];
if header :matches "subject" "*" {
	vacation :subject "Grüße: ${1} 休暇中です, eine lange Zeile, die nicht in eine passt"
		:from "Zoë <amy@example.test>" :handle "h" text:
Ich bin in Österreich.
.
;
}
END
answer
finds "other letters arrive" "From=Zoë <amy@example.test>" \
	"Subject=Grüße: Hello 休暇中です, eine lange Zeile, die nicht in eine passt" \
	"text=Ich bin in Österreich."

fresh
script <<'END'
require "vacation";
vacation :mime text:
Content-Type: multipart/alternative; boundary=foo
Bcc: b@evil.example

--foo

Surf
--foo
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<b>Brändung</b>
--foo--
.
;
END
answer
finds "an entity arrives" "type=multipart/alternative" \
	"parts=text/plain text/html" "Bcc="

plain
printf 'To: amy@example.test\nSubject: a\n b\nMessage-ID: <2@c>\nReferences: <0@c>\n <1@c>\n\nx\n' >thread
input=thread
answer
finds "a thread goes on" "Subject=Auto: a b" "References=<0@c> <1@c> <2@c>" \
	"To=ada@client.example"
input=message

# ---- whom it answers ----

plain
answer -f ''
is "$status:$(everything):$(sent)" 0:1:0 "the null sender gets no answer"
plain
lda -f ada@client.example -d bob@example.test
is "$(everything):$(sent)" 1:0 "nobody answers what does not name them"
plain
lda -f ada@client.example -d bob@example.test \
	-o 'sieve_user_aliases=x@example.test,amy@example.test'
is "$(sent)" 1 "an alias of the user is answered for"
finds "and in its name" "From=amy@example.test"
plain
sed 's/allow_all_users=yes/& sieve_user_aliases=x@example.test,amy@example.test/' \
	"$conf" >aliases.conf
bare -c aliases.conf -f ada@client.example -d bob@example.test
is "$(sent)" 1 "the user database may know the aliases"
plain
lda -f ada@client.example -d bob@example.test \
	-o sieve_vacation_dont_check_recipient=yes
is "$(sent)" 1 "the check can be switched off by Dovecot 2.3's name"
plain
lda -f ada@client.example -d bob@example.test -r bob@example.test \
	-a amy@example.test -o sieve_vacation_use_original_recipient=yes
is "$(sent)" 1 "the original recipient may count"
plain
lda -f ada@client.example -d bob@example.test -r bob@example.test \
	-a amy@example.test
is "$(sent)" 0 "it does not count else"

# ---- only what was delivered, only what was sent ----

plain
answer -o 'mail_location=maildir:/dev/null/Maildir'
is "$status:$(sent)" 75:0 "a message that is not filed is not answered"
answer
is "$status:$(sent)" 0:1 "its next try is"

plain
mv bin/sendmail bin/good
printf '#!/bin/sh\necho no; exit 75\n' >bin/sendmail
chmod 755 bin/sendmail
answer
is "$status:$(everything)" 0:1 "an answer that cannot be sent costs no mail"
ok "the log says why" grep -q \
	'failed to send vacation response to <ada@client.example>: .*status 75' "$log"
mv bin/good bin/sendmail
answer
is "$(sent)" 1 "it is sent for the next message"

fresh
script <<'END'
require "vacation";
vacation "x";
discard;
END
answer
is "$status:$(everything):$(sent)" 0:0:1 "a message that is discarded is answered"

plain
mkdir "$home/.doorstep-seen"
answer
is "$status:$(everything):$(sent)" 0:1:0 \
	"without a memory there is mail and no answer"
ok "the log tells of that, too" grep -q 'cannot be remembered' "$log"

fresh
script <<'END'
require "vacation-seconds";
vacation :seconds 0 "x";
END
answer -o sieve_vacation_min_period=0
answer -o sieve_vacation_min_period=0
is "$(sent)" 2 "with no time each message is answered"

# ---- at the same time ----

plain
i=0
while [ $i -lt 50 ]; do
	# shellcheck disable=SC2086 # several words
	as_user env -i PATH="$PATH" TZ=UTC LC_ALL=C $environment \
		"$program" -c "$conf" $envelope <message >/dev/null 2>&1 &
	i=$((i + 1))
done
wait
is "$(everything):$(sent)" 50:1 "of fifty messages at the same time one is answered"

# ---- fcc ----

fresh
script <<'END'
require ["vacation", "fcc", "mailbox", "imap4flags"];
vacation :fcc "Sent" :create :flags ["\\Seen", "$away"] "I am away.";
END
answer
is "$(sent):$(count '')" 1:1 "with a copy it is sent and the message is filed"
copy=$(stored .Sent)
is "$(sed 1d "$answers"/*)" "$(cat "$copy")" "the copy is what was sent"
like "$copy" '*:2,Sa' "it has its flags"
answer
is "$(count .Sent)" 1 "no copy without an answer"
fresh
script <<'END'
require ["vacation", "fcc"];
vacation :fcc "Sent" "I am away.";
END
answer
is "$(sent):$(count '')" 1:2 "a missing mailbox makes it an INBOX's"
ok "the log names it" grep -q "copy of the vacation response into mailbox 'Sent'" "$log"

fresh
script <<'END'
require ["vacation", "fcc", "mailbox"];
vacation :fcc "Sent" :create "I am away.";
END
answer -o quota=maildir:User -o 'quota_rule=*:storage=1M:messages=10'
is "$(sed 1d "$home/Maildir/maildirsize" | awk '{ n += $2 } END { print n }')" 2 \
	"the copy is counted for the quota"
fresh
script <<'END'
require ["vacation", "fcc", "mailbox"];
vacation :fcc "Sent" :create "I am away.";
END
answer -o quota=maildir:User -o 'quota_rule=*:messages=1'
is "$(everything):$(sent)" 1:1 "without room there is no copy of what was sent"
ok "the log says why there is none" grep -q \
	"failed to store a copy of the vacation response into mailbox 'Sent': Quota" "$log"

# ---- the admin's view ----

plain
out=$("$TEST_BUILD/ctl/doorstep" -o hostname=x sieve test -f ada@client.example \
	-r amy@example.test "$home/.dovecot.sieve" message 2>&1)
is "$out" 'vacation "ada@client.example" to="Ada <ada@client.example>" from="amy@example.test" subject="Auto: Hello" seconds=604800
keep' "doorstep sieve test prints it"
out=$("$TEST_BUILD/ctl/doorstep" -o hostname=x sieve test --trace -f owner-x@client.example \
	-r amy@example.test "$home/.dovecot.sieve" message 2>&1)
like "$out" '*vacation no answer: the sender is a program*' \
	"its trace says why there is none"

# A day, two, and what the settings make of it.
period() {
	script=$1
	shift
	printf 'require "vacation-seconds";\nvacation %s "x";\n' "$script" >periods
	"$TEST_BUILD/ctl/doorstep" -o hostname=x "$@" sieve test \
		-f ada@client.example -r amy@example.test periods message 2>&1 |
		sed -n 's/^vacation .* seconds=//p'
}
is "$(period "") $(period ":days 3") $(period ":seconds 90000")" \
	"604800 259200 90000" "an answer is good for a week, or what the script says"
is "$(period "" -o "sieve_vacation_default_period=2 days") $(period ":days 3" \
	-o "sieve_vacation_default_period=2 days")" "172800 259200" \
	"the admin says what is good without the script's word"
is "$(period ":days 1" -o "sieve_vacation_min_period=2 days") $(period ":seconds 0" \
	-o "sieve_vacation_min_period=1 hour")" "172800 3600" "and how short it may be"
is "$(period ":days 30" -o "sieve_vacation_max_period=10 days") $(period \
	":days 4000000" -o "sieve_vacation_max_period=0")" \
	"864000 345600000000" \
	"and how long"
is "$(period ":seconds 0" -o sieve_vacation_min_period=0) $(period ":days 0" \
	-o sieve_vacation_min_period=0)" "0 86400" "no time at all is for seconds alone"

done_testing
