#!/bin/sh
# Scripts that include others (RFC 6609), delivered.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# begin: an active script that includes the user's "mine" and everybody's "ours".
begin() {
	fresh
	mkdir -p "$home/sieve" "$home/global"
	script <<'END'
require ["include", "fileinto"];
include :personal "mine";
include :global :optional "ours";
END
	echo 'require "fileinto"; fileinto "Mine";' >"$home/sieve/mine.sieve"
}
deliver() {
	lda -o lda_mailbox_autocreate=yes -o "sieve_global=$home/global" "$@"
}

begin
deliver
is "$status:$(count .Mine):$(everything)" 0:1:1 \
	"a personal script is NAME.sieve in the folder of scripts"
echo 'require "fileinto"; fileinto "Ours";' >"$home/global/ours.sieve"
deliver
is "$status:$(count .Mine):$(count .Ours)" 0:2:1 \
	"a global one is in the folder that sieve_global names"

begin
mkdir "$home/other"
mv "$home/sieve/mine.sieve" "$home/other"
deliver -o 'sieve=~/.dovecot.sieve' -o 'sieve_dir=~/other'
is "$status:$(count .Mine)" 0:1 \
	"sieve_dir is the folder where sieve is only a file"
deliver -o 'sieve=file:~/other;active=~/.dovecot.sieve'
is "$status:$(count .Mine)" 0:2 "else the folder that sieve names"
deliver -o 'sieve=~/other'
is "$status:$(count .Mine)" 0:3 "with or without the link"

begin
rm "$home/sieve/mine.sieve"
deliver
is "$status:$(count)" 0:1 "a missing script is an error, which means keep"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" \
	"*$home/.dovecot.sieve:2:19: error: there is no personal script \"mine\"*" \
	"and the user's log says which one"

begin
echo 'frob;' >"$home/sieve/mine.sieve"
deliver
is "$status:$(count)" 0:1 "an error in an included script means keep"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" \
	"*$home/sieve/mine.sieve:1:1: error: unknown command \"frob\"*" \
	"and the user's log has its place"
touch -d '+1 second' "$home/.dovecot.sieve.log" # later by more than a tick
deliver
is "$(grep -c frob "$home/.dovecot.sieve.log")" 1 "an error is told once"
touch -d '+2 seconds' "$home/sieve/mine.sieve"
deliver
is "$(grep -c frob "$home/.dovecot.sieve.log")" 2 \
	"and again when the included script was changed"

begin
echo 'frob;' >"$home/global/ours.sieve"
cp "$home/.dovecot.sieve" "$home/before.sieve"
deliver -o 'sieve_before=~/before.sieve'
like "$(tail -n 2 "$log")" \
	"*Failed to compile script '$home/before.sieve': '$home/global/ours.sieve' line 1: unknown command*" \
	"the admin's log names the script that is in error"

begin
chmod 000 "$home/sieve/mine.sieve"
[ "$(id -u)" -ne 0 ] || chown root "$home/sieve/mine.sieve"
deliver
is "$status:$(everything)" 75:0 "a script that cannot be read is tried again"

begin
chmod 000 "$home/sieve"
[ "$(id -u)" -ne 0 ] || chown root "$home/sieve"
deliver
is "$status:$(everything)" 75:0 "and so is one in a folder that cannot be entered"
chmod 755 "$home/sieve"

begin
mkfifo "$home/global/ours.sieve"
deliver
is "$status:$(count .Mine)" 0:1 "a FIFO is no script and holds nothing up"

begin
ln -s "$home/.dovecot.sieve" "$home/global/ours.sieve"
deliver
is "$status:$(count)" 0:1 "a script that includes itself means keep"
like "$(cat "$home/.dovecot.sieve.log" 2>&1)" "*\"ours\" includes itself*" \
	"and the loop is named"
done_testing
