#!/bin/sh
# Every option of the command line, and every way to get it wrong.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2046 # no path of a test has a blank
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

lda
is "$status:$(count)" 0:1 "a message on standard input is delivered"
is "$out$err" "" "and nothing is said"
like "$(stored)" "$home/Maildir/new/*.M*P*.$(hostname),S=*,W=*" \
	"it lies in new/"

# wrong NAME TEXT OPTION...: a usage error that says TEXT; nothing is filed.
wrong() {
	fresh
	name=$1 text=$2
	shift 2
	lda "$@"
	is "$status:$(everything)" 64:0 "$name: exit 64, no mail"
	like "$err" "$text" "$name: the reason is told"
}
wrong "a surplus argument" "*surplus*" surplus
wrong "a surplus argument behind --" "*surplus*" -- surplus
wrong "an unknown option" "*Usage*" -Z
wrong "an unknown long option" "*Usage*" --no-such-option
wrong "an option without its value" "*-f*" -f
wrong "-o without =" "*-o*" -o mail_location
wrong "-o without a name" "*-o*" -o =value
wrong "an unknown exit style" "*--exit-style*" --exit-style sendmail
wrong "a bad -a" "*Invalid -a parameter*" -a "a b@@c"
wrong "an empty -a" "*Invalid -a parameter*" -a ""
wrong "-a with no end of brackets" "*Invalid -a parameter*" -a "<amy@example.test"
wrong "a bad -r" "*Invalid -r parameter*" -r "@"
wrong "-r with text behind it" "*Invalid -r parameter*" -r "<a@b.example> c"

fresh
lda --help
is "$status:$(everything)" 64:0 "--help: exit 64, no mail"
like "$out" "Usage: doorstep-lda *-d USER*" "--help: tells the options"

# right NAME OPTION...: delivers to INBOX.
right() {
	fresh
	name=$1
	shift
	lda "$@"
	is "$status:$(count)" 0:1 "$name"
}
right "-a with brackets" -a "<amy@example.test>"
right "-a with a local part alone" -a amy
right "-r with brackets" -r "<amy@example.test>"
right "-r with a quoted local part" -r '"a b"@example.test'
right "-a in UTF-8" -a "jürgen@example.test"
right "-e" -e
right "-k" -k
right "-L" -L
right "-i of dovecot-lda" -i name
right "-m ''" -m ''
right "-m of a missing folder falls back to INBOX" -m Missing
right "-m INBOX" -m INBOX
right "-m inbox in small letters" -m inbox
right "--exit-style=sysexits" --exit-style=sysexits
right "--exit-style qmail" --exit-style qmail
right "options in one word" -ek
right "values without a blank" -mINBOX -fada@client.example

fresh
lda -m Missing
like "$(cat "$log")" "*Error: save failed to open mailbox Missing: *" \
	"the log says that -m's folder is missing"
fresh
lda -m Lists -o lda_mailbox_autocreate=yes
is "$(count .Lists)" 1 "-m makes the folder where that is set"
is "$(test -e "$home/Maildir/subscriptions" && echo yes)" "" \
	"without subscribing to it"
lda -m Other -o lda_mailbox_autocreate=yes -o lda_mailbox_autosubscribe=yes
like "$(cat "$home/Maildir/subscriptions")" "*Other*" \
	"or with it where that is set"
fresh
lda -m "$(printf 'bad\377')" -o lda_mailbox_autocreate=yes
is "$status:$(count)" 0:1 "-m that is not UTF-8 names no folder: INBOX"
fresh
lda -m ../../escape -o lda_mailbox_autocreate=yes
is "$(find "$TEST_WORK" -path "$home/Maildir" -prune -o -name 'escape*' -print)" \
	"" "-m cannot leave the mailbox"

fresh
sed 's/Hello/From a file/' message >"$home/given"
input=/dev/null
lda -p "$home/given"
is "$status:$(grep -c 'From a file' $(stored))" 0:1 "-p reads a file"
is "$(stat -c %h "$home/given")" 1 "the file is not shared with the mailbox"
fresh
lda -p "$home/missing"
is "$status:$(everything)" 75:0 "-p of a missing file: exit 75"
fresh
lda -p "$home"
is "$status:$(everything)" 75:0 "-p of a folder: exit 75"
input=message
fresh
mkdir "$home/sub"
echo text >"$home/sub/relative"
(cd "$home/sub" && as_user env -i $environment "$program" -c "$conf" -p relative) \
	</dev/null
is "$(cat $(stored) 2>/dev/null | tail -n 1)" text "-p may be a relative path"

fresh
lda -c "$TEST_WORK/missing.conf"
is "$status:$(everything)" 75:0 "-c of a missing file: exit 75"
like "$err" "*missing.conf*" "and the file is named"
fresh
echo "mail_fsync = perhaps" >bad.conf
bare -c "$TEST_WORK/bad.conf"
is "$status:$(everything)" 75:0 "a wrong value in the file: exit 75"
like "$err" "*bad.conf*1*" "file and line are named"
fresh
bare -O -o "log_path=$log" -o mail_location=maildir:~/Elsewhere
is "$status:$(ls "$home/Elsewhere/new" | wc -l)" 0:1 \
	"-O uses no file, -o sets what is needed"
fresh
lda -o mail_location=maildir:~/One -o mail_location=maildir:~/Two
is "$(ls "$home/Two/new" 2>/dev/null | wc -l)" 1 "the last -o of a name wins"
fresh
lda -o no_such_setting=1
is "$status:$(everything)" 75:0 "-o of an unknown setting: exit 75"
like "$err" "*no_such_setting*" "and it is named"
done_testing
