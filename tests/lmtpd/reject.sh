#!/bin/sh
# A script that refuses: its recipient's own reply, and nobody else's (RFC 5429).
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
mail_location = maildir:~/%n
sieve = ~/%n.sieve
sieve_before = ~/before
lda_mailbox_autocreate = yes
sendmail_path = $TEST_WORK/bin/sendmail
END
cat >bin/sendmail <<END
#!/bin/sh
{ echo "\$*"; cat; } >>"$home/outgoing"
END
chmod 755 bin/sendmail
cat >"$home/amy.sieve" <<'END'
require "reject";
reject text:
AntiSpam engine thinks your message is spam.
It is therefore being refused.
.
;
END
cat >"$home/eve.sieve" <<'END'
require "ereject";
ereject "Grüße, nein";
END
cat >"$home/carl.sieve" <<'END'
require ["reject", "fileinto"];
fileinto "Spam";
reject "no";
END

# talk WAY ADDRESS...: one message; all replies behind the dot.  WAY: stay; cut,
# which goes when the replies were written, without another command; utf8; null,
# without a sender.
talk() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
way, addresses = sys.argv[3], sys.argv[4:]
client = lmtp.Client(sys.argv[2])
client.begin("" if way == "null" else "ada@client.example", addresses,
             " SMTPUTF8" if way == "utf8" else "")
client.say("DATA", "354")
client.write(b"Subject: hello\r\n\r\nThe very same.\r\n.\r\n")
for _ in addresses:
    print("\n".join(client.reply()))
if way != "cut":
    client.quit()
END
}
# mails FOLDER: how many
mails() {
	find "$home/$1/new" "$home/$1/cur" -type f 2>/dev/null | wc -l
}

ok "the server starts" start
like "$(talk stay amy bob eve)" "550-5.7.1 <amy> AntiSpam engine thinks your message is spam.
550 5.7.1 It is therefore being refused.
250 2.0.0 <bob> * Saved
550 5.7.1 <eve> Gr??e, nein" "who refuses is answered so, the other one has it"
is "$(mails amy):$(mails bob):$(mails eve)" 0:1:0 "only the other one has it"
like "$(cat "$log")" \
	"*lmtp(amy)*sieve: msgid=*: rejected: AntiSpam engine thinks*" \
	"the log has the refusal"
is "$(talk utf8 eve)" "550 5.7.1 <eve> Grüße, nein" \
	"a client of SMTPUTF8 reads it as it is"
like "$(talk stay carl)" "250 2.0.0 <carl> * Saved" \
	"a script that also files is in error"
is "$(mails carl):$(mails carl/.Spam)" 1:0 "and keeps"

# ---- what the reply cannot say ----

cat >"$home/dora.sieve" <<'END'
require "reject";
reject "Grüße, nein";
END
like "$(talk stay dora)" "250 2.0.0 <dora> * Saved" \
	"reject with words that ASCII cannot say is no reply"
is "$(mails dora):$(head -1 "$home/outgoing")" \
	"0:-i -f <> -- ada@client.example" "but a mail to the sender"
like "$(sed 1d "$home/outgoing" |
	python3 "$TEST_SOURCE/tests/lib/report.py" mdn 2>&1)" \
	"*text: Your message to <dora> was automatically rejected: / Grüße, nein*" \
	"with those words (RFC 5429 2.2)"
rm "$home/outgoing"
is "$(talk null dora):$(cat "$home/outgoing" 2>&1)" \
	"550 5.7.1 <dora> Gr??e, nein:cat: $home/outgoing: No such file or directory" \
	"where nobody may be written to the reply says what it can"
is "$(talk utf8 dora)" "550 5.7.1 <dora> Grüße, nein" \
	"a client of SMTPUTF8 has the reply"
ok "and no mail" test ! -e "$home/outgoing"
like "$(talk cut dora)" "250 2.0.0 <dora> * Saved" "a reply may be lost"
like "$(talk stay dora)" "250 2.0.0 <dora> * Saved" "the retry has the same"
is "$(grep -c '^-i -f' "$home/outgoing")" 1 "and there is one mail"

# ---- what an admin files of it ----

cat >"$home/before" <<'END'
require ["fileinto", "copy"];
fileinto :copy "Archive";
END
like "$(talk stay amy)" "550-5.7.1 <amy> AntiSpam*" \
	"a script before it may file what is refused"
is "$(mails amy):$(mails amy/.Archive)" 0:1 "there is a copy then"
like "$(talk cut amy)" "550-5.7.1 <amy> AntiSpam*" "so has the next"
is "$(mails amy/.Archive)" 2 "one more, and its reply may be lost"
like "$(talk stay amy)" "550-5.7.1 <amy> AntiSpam*" \
	"a retry after a lost reply has the same reply"
is "$(mails amy/.Archive)" 2 "and files nothing"
echo 'keep;' >"$home/amy.sieve"
rm "$home/before"
like "$(talk stay amy)" "250 2.0.0 <amy> * Saved" "what was confirmed is forgotten"
exits 0 "the server ends" stop

# ---- Dovecot's way ----

rm "$home/outgoing"
echo 'require "reject"; reject "no";' >"$home/amy.sieve"
ok "the server starts" start -o sieve_use_lmtp_reject=no
like "$(talk stay amy eve)" "250 2.0.0 <amy> * Saved
550 5.7.1 <eve> Gr??e, nein" "sieve_use_lmtp_reject = no is about reject alone"
like "$(sed 1d "$home/outgoing" |
	python3 "$TEST_SOURCE/tests/lib/report.py" mdn 2>&1)" \
	"*text: Your message to <amy> was automatically rejected: / no*" \
	"which is a mail then"
exits 0 "the server ends" stop
done_testing
