#!/bin/sh
# What becomes of the message's bytes.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2046 # no path of a test has a blank
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

# becomes NAME: the file "given" is stored as the file "wanted", behind the
# fields that the program adds, under a name with the right sizes.
becomes() {
	fresh
	input=given
	lda -f ada@client.example
	is "$status:$(count)" 0:1 "$1: delivered"
	file=$(stored)
	if tail -c "$(stat -c %s wanted)" "$file" | cmp -s - wanted; then
		pass "$1: byte for byte"
	else
		fail "$1: byte for byte" "$(od -c "$file" | head -n 20)"
	fi
	size=$(stat -c %s "$file")
	lines=$(wc -l <"$file")
	like "$file" "*,S=$size,W=$((size + lines))" "$1: sizes in the name"
	added=$(head -c $((size - $(stat -c %s wanted))) "$file" |
		grep -vE '^(Return-Path|Delivered-To|X-Original-To): ')
	is "$added" "" "$1: only trace fields are added"
}
printf 'Subject: x\n\nline\n' | tee given >wanted
becomes "plain text"
printf 'Subject: x\r\n\r\nline\r\nlast' >given
printf 'Subject: x\n\nline\nlast' >wanted
becomes "CR LF"
printf 'Subject: x\n\na\rb\n\r\nc\r' >given
printf 'Subject: x\n\na\rb\n\nc\r' >wanted
becomes "a bare CR"
printf 'Subject: x\r\n\r\r\n\r\n' >given
printf 'Subject: x\n\r\n\n' >wanted
becomes "CR CR LF"
printf 'Subject: \0\n\n\0\0\nx\0' | tee given >wanted
becomes "NUL"
printf 'Subject: \344\366\374 \303\244\n\n\377\376\n' | tee given >wanted
becomes "8-bit text"
printf '\nbody alone\n' | tee given >wanted
becomes "no header"
printf 'Subject: header alone\n' | tee given >wanted
becomes "no body"
printf 'Subject: x\n\n.\n..\n.a\n' | tee given >wanted
becomes "dots"
printf 'Subject: x\n\nFrom me\n>From you\n' | tee given >wanted
becomes "From in the body"
{
	printf 'Subject: x\n\n'
	head -c 300000 /dev/zero | tr '\0' y
} | tee given >wanted
becomes "a line of 300 KB"
{
	printf 'Subject: x\n\n'
	head -c 1500000 /dev/urandom | base64
} | tee given >wanted
becomes "2 MB"
sed 's/$/\r/' wanted >given
becomes "2 MB with CR LF"

printf 'From ada@box.example  Mon Jan  1 00:00:00 2024\nSubject: x\n\nbody\n' >given
printf 'Subject: x\n\nbody\n' >wanted
becomes "an mbox From line"
unlike "$(cat "$file")" "*From ada@box*" "the mbox From line is dropped"
fresh
lda
is "$(grep '^Return-Path' $(stored))" "Return-Path: <ada@box.example>" \
	"without -f it names the sender"

printf 'Return-Path: <old@client.example>\nReturn-Path: <older@x.example>\nSubject: x\n\nReturn-Path: body\n' >given
fresh
lda -f new@client.example
is "$(grep '^Return-Path' $(stored))" "Return-Path: <new@client.example>
Return-Path: body" "an existing Return-Path is replaced"
: >given
fresh
lda
is "$status:$(count)" 0:1 "an empty message is delivered"

# Places.
printf 'Subject: x\n\nbody\n' >given
fresh
lda
lda
lda
is "$(count):$(stored | sed 's/.*\///; s/,.*//' | sort -u | wc -l)" 3:3 \
	"each message has a name of its own"
is "$(find "$home/Maildir/tmp" -type f)" "" "tmp is empty afterwards"
is "$(stat -c %a "$home/Maildir" "$home/Maildir/new" | sort -u)" 700 \
	"a new mailbox is private"
is "$(stored | xargs stat -c %a | sort -u)" 600 "so are the messages"
chmod 770 "$home/Maildir/new" "$home/Maildir/tmp" "$home/Maildir/cur" \
	"$home/Maildir"
rm -f $(stored)
lda
is "$(stat -c %a "$(stored)")" 660 "a message has its folder's permissions"
fresh
script <<'END'
require "imap4flags";
setflag ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted"];
END
lda
like "$(stored)" "$home/Maildir/cur/*:2,DFRST" \
	"flags are in the name, in order, and it lies in cur/"
fresh
script <<'END'
require ["fileinto", "imap4flags", "variables", "copy", "mailbox"];
set "words" "\\Flagged  $Label1 two";
setflag "more" ["${words}", "TWO", "Ünter", "bad(one", "\\Recent", "\\Odd", ""];
addflag "$SieveFailed";
keep;
fileinto :flags "${more}" :create :copy "Lists";
fileinto :flags ["zz", "Yy"] "INBOX";
END
lda
is "$(cat "$home/Maildir/dovecot-keywords")" "0 zz
1 Yy" "keywords have letters, the last of two lists for a folder counts"
like "$(stored)" "$home/Maildir/cur/*:2,ab" "the name has them"
is "$(cat "$home/Maildir/.Lists/dovecot-keywords")" '0 $Label1
1 two' "what is no keyword is left out, what is there twice is one"
like "$(echo "$home"/Maildir/.Lists/cur/*)" "*:2,Fab" \
	"letters stand behind the flags"
printf 'require "imap4flags"; setflag "one more";' |
	script
printf '0 zz\n1 Yy\n2' >"$home/Maildir/dovecot-keywords"
lda
like "$status:$(ls "$home/Maildir/new")" "0:*" \
	"a broken dovecot-keywords costs the keywords and no mail"
like "$(cat "$log")" "*keywords one more*broken*" "and the log says which"
fresh
lda -o mail_location=maildir:~/a/b/c/Maildir
is "$(find "$home/a/b/c/Maildir/new" -type f | wc -l)" 1 \
	"the mailbox is made with the folders above it"
fresh
lda -o "mail_location=maildir:$home/%u/%n"
is "$(find "$home/amy/amy/new" -type f | wc -l)" 1 "variables in mail_location"
done_testing
