#!/bin/sh
# What scripts learn of a delivery by doorstep-lda, and what they tell.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# ---- environment (RFC 5183) ----

# item NAME [OPTION...]: its value, as a script finds it, in $value.
item() {
	name=$1
	shift
	fresh
	script <<END
require ["environment", "vnd.dovecot.environment", "variables", "fileinto"];
if not environment :matches "$name" "*" { fileinto "Missing"; stop; }
require_value
END
	sed -i 's/^require_value$/fileinto "V${1}";/' "$home/.dovecot.sieve"
	lda -o lda_mailbox_autocreate=yes -o 'mail_location=maildir:~/Maildir:LAYOUT=fs' "$@"
	value=$(cd "$home/Maildir" && find . -path './V*/new' | sed 's,^\./V,,; s,/new$,,')
	[ -d "$home/Maildir/Missing" ] && value=missing
}
item host
is "$value" mx.example.test "host is the setting hostname"
item domain
is "$value" example.test "domain is what follows its first label"
item location
is "$value" MDA "location"
item phase
is "$value" during "phase"
item name
is "$value" "Doorstep Sieve" "name"
item version
is "$value" "$("$TEST_BUILD/ctl/doorstep" --version | sed "s/.* //")" "version"
item remote-ip
is "$value" "" "there is no remote-ip"
item remote-host
is "$value" "" "and no remote-host"
item vnd.dovecot.username
is "$value" amy "the user"
item vnd.dovecot.default-mailbox
is "$value" INBOX "the default mailbox"
item vnd.dovecot.default-mailbox -m Lists
is "$value" Lists "that of -m"
item vnd.dovecot.config.spam -o 'sieve_environment=ham=A spam=Junk'
is "$value" Junk "what sieve_environment says"
item vnd.dovecot.config.none -o 'sieve_environment=ham=A spam=Junk'
is "$value" missing "what it does not say is missing"

# ---- logs ----

fresh
script <<'END'
require ["vnd.dovecot.debug", "vnd.cyrus.log"];
debug_log "for the user";
log "for the admin";
END
lda
is "$status:$(count)" 0:1 "a script that logs"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" \
	"*$home/.dovecot.sieve:2:1: info: DEBUG: for the user" \
	"debug_log is in the user's log"
like "$(cat "$log")" "*Info: sieve: for the admin*" "log is in the admin's"
unlike "$(cat "$log")" "*for the user*" "and nothing else"
mv "$home/.dovecot.sieve" "$home/before.sieve"
rm "$home/.dovecot.sieve.log"
lda -o 'sieve_before=~/before.sieve'
like "$(cat "$log")" "*Info: sieve: $home/before.sieve:2: DEBUG: for the user*" \
	"debug_log of the admin's script is in the admin's log"

# ---- sieve_global_extensions ----

fresh
echo 'require "vnd.cyrus.log"; log "mine";' | script
echo 'require "vnd.cyrus.log"; log "ours";' >"$home/before.sieve"
lda -o 'sieve_before=~/before.sieve' -o sieve_global_extensions=vnd.cyrus.log
like "$(cat "$log")" "*Info: sieve: ours*" \
	"the admin's script may use what sieve_global_extensions names"
unlike "$(cat "$log")" "*Info: sieve: mine*" "the user's may not"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" \
	"*\"vnd.cyrus.log\" is not offered here (sieve_global_extensions)*" \
	"and is told"

# ---- vnd.cyrus.implicit_keep_target ----

fresh
script <<'END'
require ["vnd.cyrus.implicit_keep_target", "mailbox"];
implicit_keep_target :create "Other";
END
lda
is "$status:$(count .Other):$(everything)" 0:1:1 "the implicit keep goes elsewhere"
sed -i 's/:create "Other"/"Nowhere"/' "$home/.dovecot.sieve"
lda
is "$status:$(count):$(everything)" 0:1:2 \
	"and to INBOX when that folder is not there"

# ---- a script that fails ----

# keywords: what the newest message of INBOX has, from dovecot-keywords.
keywords() {
	stored | sed 's/.*:2,//' | tr -cd 'a-z' | grep -o . | while read -r letter; do
		number=$(printf '%d' "'$letter")
		grep "^$((number - 97)) " "$home/Maildir/dovecot-keywords" |
			cut -d' ' -f2-
	done
}
fresh
echo 'frob;' | script
lda
is "$status:$(keywords)" '0:$SieveFailed' "a message whose script is in error is marked"
fresh
printf 'require "ihave"; error "no";' | script
lda
is "$status:$(keywords)" '0:$SieveFailed' "and one whose script failed"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" "*error: error: no" \
	"the text of error is in the user's log"
fresh
echo 'frob;' | script
lda -o sieve_mark_failed=no
is "$status:$(count):$(keywords)" 0:1: "sieve_mark_failed switches it off"
fresh
echo 'keep;' | script
lda
is "$status:$(count):$(keywords)" 0:1: "a script without errors marks nothing"

# ---- sieve_enabled ----

fresh
echo 'discard;' | script
echo 'redirect "a@example.org";' >"$home/before.sieve"
lda -o sieve_enabled=no -o 'sieve_before=~/before.sieve' -o 'sieve_discard=~/before.sieve'
is "$status:$(count)" 0:1 "sieve_enabled=no: no script judges"
lda -o sieve_enabled=yes
is "$status:$(count)" 0:1 "sieve_enabled=yes: they do"

# ---- how much there is in the user's log ----

user_log=$home/.dovecot.sieve.log
# words COUNT: a script with so many errors.
words() {
	awk -v count="$1" 'BEGIN {
		for (i = 1; i <= count; i++) print "frob" i ";" }'
}
fresh
words 40 | script
lda
is "$status:$(count):$(grep -c ": error: " "$user_log")" 0:1:30 \
	"of 40 errors 30 are told"
is "$(tail -n 1 "$user_log" | sed 's/.*sieve: //')" \
	"there are more errors, which are not told" "and that there are more"
words 30 | script
rm "$user_log"
lda
is "$(grep -c ": error: " "$user_log"):$(grep -c "more errors" "$user_log")" \
	30:0 "30 errors are all told"

fresh
echo 'require "ihave"; error "no";' | script
lda
is "$(grep -c "error: error: no" "$user_log")" 1 "an error is told"
lda
is "$(grep -c "error: error: no" "$user_log"):$([ -e "$user_log.0" ] || echo none)" \
	2:none "and the next one below it"
# The log is in the user's hands; what is in it does not matter.
yes "an old line" | head -c 10240 >"$user_log"
lda
is "$(grep -c "error: error: no" "$user_log"):$([ -e "$user_log.0" ] || echo none)" \
	1:none "a log of 10 KiB is written to"
lda
is "$(grep -c "error: error: no" "$user_log"):$(grep -c "" "$user_log")" 1:1 \
	"behind that a new one begins"
is "$(grep -c "error: error: no" "$user_log.0")" 1 "and the old one has .0 behind its name"
yes "another line" | head -c 10250 >"$user_log"
lda
is "$(grep -c "error: error: no" "$user_log")" 1 "so it is the next time"
is "$(grep -c "another line" "$user_log.0"):$(grep -c "an old line" "$user_log.0")" \
	788:0 "and there are never more than these two"

# ---- each limit of the configuration is the engine's ----

# limit SETTING=VALUE SCRIPT: the script runs into it, and not without it.
limit() {
	fresh
	printf '%s\n' "$2" | script
	[ ! -d personal ] || cp -R personal "$home/sieve"
	lda
	is "$(cat "$user_log" 2>/dev/null)" "" "${1%%=*} is not reached by default"
	lda -o "$1"
	like "$(cat "$user_log" 2>&1)" "*(${1%%=*}*)*" "$1 is the engine's"
}
# letters COUNT
letters() {
	printf "%${1}s" "" | tr ' ' x
}
long=$(letters 2000)
limit sieve_max_script_size=1k "# $long"
limit sieve_max_string_size=1k "if header \"Subject\" \"$long\" { keep; }"
limit sieve_max_nesting=2 "if not not not true { keep; }"
limit sieve_max_actions=1 \
	'require "fileinto"; fileinto "INBOX"; redirect "a@example.org";'
limit sieve_max_redirects=1 \
	'redirect "a@example.org"; redirect "b@example.org";'
limit sieve_max_steps=100 "$(awk 'BEGIN {
	for (i = 0; i < 60; i++) print "if header \"X\" \"y\" { keep; }" }')"
limit sieve_max_memory=64k 'require "variables";
	set "a" "'"$long$long"'";
	set "b" "${a}${a}${a}${a}";
	set "c" "${b}${b}${b}${b}${b}${b}";'
limit sieve_variables_max_scope_size=128 "require \"variables\";
	$(awk 'BEGIN { for (i = 0; i < 130; i++) print "set \"a" i "\" \"x\";" }')"
limit sieve_variables_max_value_size=4000 \
	"require \"variables\"; set \"a\" \"$long$long$long\";"
limit sieve_editheader_max_header_size=1k \
	"require \"editheader\"; addheader \"X-A\" \"$long\";"
limit sieve_notify_max_notifications=1 'require "enotify";
	notify "mailto:a@example.org"; notify "mailto:b@example.org";'
limit sieve_notify_mailto_max_recipients=1 \
	'require "enotify"; notify "mailto:a@example.org,b@example.org";'
limit sieve_notify_mailto_max_headers=1 \
	'require "enotify"; notify "mailto:a@example.org?x-a=1&x-b=2";'
mkdir personal
echo 'require "include"; include "two";' >personal/one.sieve
echo 'require "include"; include "three";' >personal/two.sieve
echo 'keep;' >personal/three.sieve
limit sieve_include_max_includes=2 'require "include"; include "one";'
limit sieve_include_max_nesting_depth=2 'require "include"; include "one";'
rm -r personal
done_testing
