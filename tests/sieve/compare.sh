#!/bin/sh
# doorstep sieve diff, compare and check --from-libsieve
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

doorstep="$TEST_BUILD/ctl/doorstep -c doorstep.conf"
echo 'hostname = mx.example.test' >doorstep.conf
printf 'Subject: [dev] one\n\ntext\n' >dev.eml
printf 'Subject: two\n\ntext\n' >plain.eml
mkdir -p maildir/new maildir/cur maildir/tmp
cp dev.eml maildir/new/1.a
cp plain.eml maildir/cur/2.b:2,S
cp plain.eml maildir/new/.hidden
for mail in dev plain dev; do
	echo 'From ada@client.example Mon Jan  1 00:00:00 2024'
	cat $mail.eml
	echo
done >box

# ---- diff ----
cat >old.sieve <<'END'
require ["fileinto", "imap4flags"];
addflag ["a", "b"];
if header :contains "subject" "[dev]" { fileinto "Dev"; }
END
cat >new.sieve <<'END'
require ["fileinto", "imap4flags"];
setflag ["b", "a"];
if header :contains "subject" "[dev]" { fileinto "dev"; fileinto "copy"; }
END
is "$($doorstep sieve diff old.sieve new.sieve plain.eml dev.eml)" \
	'dev.eml: old: fileinto "Dev" flags="a b"
dev.eml: new: fileinto "dev" flags="a b"
dev.eml: new: fileinto "copy" flags="a b"' \
	"messages whose fate differs are shown with the actions that differ"
exits 1 "that is exit status 1" $doorstep sieve diff old.sieve new.sieve dev.eml
exits 0 "no difference is 0" $doorstep sieve diff old.sieve new.sieve plain.eml
is "$($doorstep sieve diff old.sieve new.sieve plain.eml)" "" "and says nothing"
is "$($doorstep sieve diff old.sieve new.sieve maildir | cut -d' ' -f1 | sort -u)" \
	"maildir/new/1.a:" "a Maildir's messages are those of new and cur"
is "$($doorstep sieve diff old.sieve new.sieve box | cut -d' ' -f1 | sort -u)" \
	"box:1:
box:3:" "an mbox's messages have numbers"
is "$($doorstep --json sieve diff old.sieve new.sieve plain.eml)" \
	'[{"message":"plain.eml","differs":false,"old":{"actions":["keep flags=\"a b\""]},"new":{"actions":["keep flags=\"a b\""]}}]' \
	"--json shows all messages"
echo 'discard' >broken.sieve
is "$($doorstep sieve diff broken.sieve old.sieve plain.eml)" \
	'plain.eml: old: keep
plain.eml: old: failed: 1:8: ";" is missing here, before the end of the script
plain.eml: new: keep flags="a b"' "a script in error keeps, and says why"
exits 75 "a message that cannot be read is trouble" \
	$doorstep sieve diff old.sieve new.sieve none
exits 75 "so is a script" $doorstep sieve diff old.sieve none plain.eml
exits 64 "diff needs a message" $doorstep sieve diff old.sieve new.sieve
exits 64 "diff does not trace" \
	$doorstep sieve diff --trace old.sieve new.sieve plain.eml
cat >sender.sieve <<'END'
require "envelope"; if envelope "from" "bob@client.example" { discard; }
END
echo 'keep;' >keep.sieve
is "$($doorstep sieve diff -f bob@client.example sender.sieve keep.sieve plain.eml)" \
	'plain.eml: old: discard
plain.eml: new: keep' "the sender is that of -f"

# ---- test, where deliveries run another engine ----
is "$($doorstep sieve test keep.sieve plain.eml 2>&1)" "keep" "test is quiet"
if $doorstep -o sieve_engine=libsieve config check >/dev/null 2>&1; then
	like "$($doorstep -o sieve_engine=libsieve sieve test keep.sieve plain.eml 2>&1)" \
		"*sieve_engine is another one*doorstep sieve compare*keep" \
		"and says so when deliveries run another engine"
fi

# ---- check --from-libsieve ----
legacy() { # TEXT: the warnings for it
	printf '%s\n' "$1" >legacy.sieve
	$doorstep sieve check --from-libsieve legacy.sieve |
		sed -n 's/^legacy.sieve:\([0-9:]*\): warning: /\1: /p'
}
legacy '# \ is no matter here
require ["fileinto", "relational"];
if size :over 2G { fileinto /* "\" */ "plain"; } keep;' >plain.found
is "$(cat plain.found)" "3:15: libsieve did not know G: it kept all mail" \
	"only what differs is told"
is "$(legacy 'require "fileinto"; fileinto "a\\b";')" \
	'1:30: libsieve kept the backslashes of "a\\b"; here it is "a\b"' \
	"backslashes in strings"
like "$(legacy 'if NOT true { stop; }')" "1:4: libsieve knew only small letters*" \
	"capitals"
like "$(legacy 'if header :IS "a" "b" { stop; }')" \
	"1:11: libsieve knew only small letters*" "capitals of tags"
like "$(legacy 'if size :over 2147483648 { stop; }')" "1:15: *2147483647*" \
	"large numbers"
is "$(legacy 'if size :over 2147483647 { stop; }')" "" "but no smaller ones"
like "$(legacy 'require ["copy", "fileinto"];')" '1:10: libsieve had no "copy"*' \
	"extensions libsieve lacks"
like "$(legacy 'if not header :comparator "i;x" "a" "b" { stop; }')" \
	"1:27: with a comparator that libsieve did not know the test was false*" \
	"unknown comparators"
like "$(legacy 'if header :value "gt" :comparator "i;ascii-numeric" "a" "1" { stop; }')" \
	"*1:35: libsieve took what is no number for 0;*" "what is no number"
is "$(legacy 'require "imap4flags"; if hasflag "a" { stop; }')" "" "hasflag"
like "$(legacy 'require "imap4flags"; if hasflag :is "a" { stop; }')" \
	"1:34: libsieve crashed on hasflag with a tag*" "hasflag with a tag"
like "$(legacy 'if header :count "ge" ["a", "b"] "1" { stop; }')" \
	"*1:23: libsieve counted*" ":count of several fields"
like "$(legacy 'if envelope "from" ["a", ""] { stop; }')" "1:26: *bounces*" \
	"the null sender"
like "$(legacy 'require "imap4flags"; setflag ["a", "b"]; setflag "c"; keep;')" \
	"1:1: *implicit keep*
1:31: *only the first*
1:43: *second setflag*" "flags"
like "$(legacy 'if true { reject "no"; keep; }')" "1:11: *RFC 5429*" \
	"reject beside a delivery"
exits 1 "they are exit status 1" \
	$doorstep sieve check --from-libsieve legacy.sieve
exits 0 "without the option they are not told" $doorstep sieve check keep.sieve
printf 'require "fileinto"; fileinto "a\\\\b";' >legacy.sieve
exits 0 "so a good script is good" $doorstep sieve check legacy.sieve
exits 64 "--from-libsieve needs a file" $doorstep sieve check --from-libsieve

# ---- compare ----
$doorstep sieve compare keep.sieve plain.eml >found 2>&1
if [ $? -eq 78 ]; then
	like "$(cat found)" "*without libsieve*" "a build without libsieve says so"
	done_testing
	exit 0
fi
is "$(cat found)" "" "where both agree nothing is said"
cat >both.sieve <<'END'
require ["fileinto", "imap4flags"];
if header :contains "subject" "dev" { fileinto "a\\b"; keep; }
END
is "$($doorstep sieve compare both.sieve dev.eml plain.eml)" \
	'dev.eml: native: fileinto "a\\b"
dev.eml: libsieve: fileinto "a\\\\b"' "actions that differ are shown"
exits 1 "that is exit status 1" $doorstep sieve compare both.sieve dev.eml
echo 'if TRUE { discard; }' >upper.sieve
is "$($doorstep sieve compare upper.sieve plain.eml)" 'plain.eml: native: discard
plain.eml: libsieve: keep
plain.eml: libsieve: failed: 1:1: syntax error, unexpected $undefined' \
	"an engine whose script is in error keeps"
is "$($doorstep --json sieve compare upper.sieve plain.eml)" \
	'[{"message":"plain.eml","differs":true,"native":{"actions":["discard"]},"libsieve":{"actions":["keep"],"problem":"1:1: syntax error, unexpected $undefined"}}]' \
	"--json has both sides"
done_testing
