#!/bin/sh
# The log in Dovecot's form, which people's scripts read.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

time='[A-Z][a-z][a-z] [0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
prefix='lda\(amy\)<[0-9]+><[A-Za-z0-9+/]{22}>:'

# logs REGEX NAME OPTION...: the last line is just that.
logs() {
	regex=$1 name=$2
	shift 2
	fresh
	prepare
	lda "$@"
	if tail -n 1 "$log" 2>/dev/null | grep -qE "^$time $prefix $regex\$"; then
		pass "$name"
	else
		fail "$name" "found    $(cat "$log" 2>&1)" \
			"expected ^$time $prefix $regex\$" "$err"
	fi
}
prepare() {
	:
}
logs 'Info: msgid=<hello@client\.example>: saved mail to INBOX' \
	"a delivery without script"
logs 'Info: msgid=<hello@client\.example>: saved mail to Lists' \
	"a delivery to a folder" -m Lists -o lda_mailbox_autocreate=yes
logs 'Info: saved mail to INBOX \[Hello\] from ada@client\.example of [0-9]+' \
	"another deliver_log_format" -o 'deliver_log_format=%$ [%s] from %f of %p'
logs 'Info: from b@client\.example to r@example\.test' "%e is the envelope sender" \
	-o 'deliver_log_format=from %e to %{to_envelope}' -f b@client.example \
	-r r@example.test
printf 'Subject: no id\n\nx\n' >noid
input=noid
logs 'Info: msgid=unspecified: saved mail to INBOX' "a message without id"
printf 'Message-ID: <a\tb\033[31m\001>\nSubject: x\n\nx\n' >odd
input=odd
logs 'Info: msgid=<[ -~]*>: saved mail to INBOX' \
	"control characters never reach the log"
printf 'Message-ID: <%s>\n\nx\n' "$(head -c 5000 /dev/zero | tr '\0' x)" >long
input=long
logs 'Info: msgid=<?x{150,250}[^ ]{0,5}: saved mail to INBOX' "a long id is cut"
input=message
prepare() {
	echo 'keep;' | script
}
logs "Info: sieve: msgid=<hello@client\\.example>: stored mail into mailbox 'INBOX'" \
	"a delivery by a script"
prepare() {
	echo 'require ["fileinto","mailbox"]; fileinto :create "Ärger";' | script
}
logs "Info: sieve: msgid=<hello@client\\.example>: stored mail into mailbox 'Ärger'" \
	"a folder is named in UTF-8"
prepare() {
	echo 'discard;' | script
}
logs 'Info: sieve: msgid=<hello@client\.example>: marked message to be discarded if not explicitly delivered \(discard action\)' \
	"discarded mail"
prepare() {
	echo 'redirect "x@outside.example";' | script
}
logs 'Info: sieve: msgid=<hello@client\.example>: forwarded to <x@outside\.example>' \
	"redirected mail"
prepare() {
	echo 'nonsense;' | script
}
logs "Info: sieve: msgid=<hello@client\\.example>: stored mail into mailbox 'INBOX'" \
	"a script in error"
is "$(grep -c 'Failed to compile script' "$log")" 1 \
	"a script in error is told on one line"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" "*error: *nonsense*" \
	"and to the user in full"
touch -d '+1 second' "$home/.dovecot.sieve.log" # later by more than a tick
lda
is "$(grep -c 'Failed to compile script' "$log")" 2 \
	"the admin's log tells it at each delivery"
is "$(grep -c nonsense "$home/.dovecot.sieve.log")" 1 \
	"the user's log once"
echo 'nonsense; more;' | script
touch -d '+2 seconds' "$home/.dovecot.sieve"
lda
is "$(grep -c more "$home/.dovecot.sieve.log")" 1 \
	"but again when the script has changed"
touch -d '+10 seconds' "$home/.dovecot.sieve.log"
touch -d '-2 days' "$home/.dovecot.sieve.log"
lda
is "$(grep -c more "$home/.dovecot.sieve.log")" 2 "and after a day"
prepare() {
	:
}
fresh
lda -o 'deliver_log_format='
is "$status:$(test -s "$log" && cat "$log")" 0: \
	"an empty deliver_log_format: no line"
fresh
lda -o "info_log_path=$home/info"
is "$(test -s "$log" && cat "$log")" "" "info_log_path takes the lines"
like "$(cat "$home/info")" "*saved mail to INBOX" "of deliveries"
fresh
lda -o log_path=/dev/stderr
like "$err" "*lda(amy)*Info: msgid=*" "log_path may be standard error"
fresh
lda -o log_path=/nonexistent/log
is "$status:$(count)" 0:1 "a log that cannot be opened stops no mail"
fresh
lda -o 'mail_log_prefix=mail[%u]:'
like "$(cat "$log")" "* mail\[amy\]: Info: *" "mail_log_prefix is the prefix"
fresh
lda -o mail_debug=yes
is "$status:$(count)" 0:1 "mail_debug does no harm"
like "$(cat "$log")" \
	"*Debug: sieve: the user has no script: $home/.dovecot.sieve*" \
	"mail_debug tells where a script was looked for"
fresh
echo 'keep;' >"$home/.dovecot.sieve"
lda -o mail_debug=yes -o 'sieve_before=~/before.sieve'
like "$(cat "$log")" \
	"*Debug: sieve: the script $home/before.sieve is not there; *" \
	"what a template names and is not there is told, too"
like "$(cat "$log")" \
	"*Debug: sieve: running the script $home/.dovecot.sieve
*" "mail_debug tells which scripts run"
fresh
lda
unlike "$(cat "$log")" "*Debug*" "without it nothing is told"
done_testing
