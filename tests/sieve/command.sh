# doorstep sieve check, doorstep sieve test
#
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"

doorstep="$TEST_BUILD/ctl/doorstep -c doorstep.conf"
echo 'hostname = mx.example.test' >doorstep.conf

cat >good.sieve <<'EOF'
require ["fileinto", "imap4flags", "variables", "envelope", "mailbox"];
if header :matches "Subject" "[*] *" {
	addflag "\\Seen";
	fileinto "Lists/${1}";
}
if envelope :domain "from" "example.org" { redirect "x@example.net"; }
if allof (mailboxexists "Big", size :over 1M) { fileinto "Big"; }
if envelope "to" "amy+x@example.com" { discard; }
EOF
cat >bad.sieve <<'EOF'
fileinto "a";
if frob { keep }
EOF
cat >runtime.sieve <<'EOF'
require "variables";
discard;
redirect "${nobody}";
EOF
printf 'Return-Path: <bob@example.org>\nSubject: [dev] hello\n\ntext\n' >list.eml
printf 'Subject: hello\n\ntext\n' >plain.eml

is "$($doorstep sieve check good.sieve 2>&1)" "" "a good script says nothing"
exits 0 "a good script is a success" $doorstep sieve check good.sieve
exits 1 "a bad script is a failure" $doorstep sieve check good.sieve bad.sieve
is "$($doorstep sieve check bad.sieve 2>/dev/null)" \
	'bad.sieve:1:1: error: "fileinto" belongs to an extension: add `require "fileinto";` at the top
bad.sieve:2:4: error: unknown test "frob"
bad.sieve:2:15: error: ";" is missing here, before "}"' \
	"errors have file, line and column, one a line"
exits 75 "a script that cannot be read is trouble" $doorstep sieve check none
exits 64 "check needs a file" $doorstep sieve check
exits 64 "an unknown sub-command is a wrong use" $doorstep sieve frob
exits 0 "help is no fault" $doorstep sieve check --help
like "$($doorstep sieve check --help)" "*sieve check*sieve compare*" \
	"a command tells all its forms"
unlike "$($doorstep sieve --help)" "*quota get*" "and those of no other one"
exits 75 "behind -- it is a file" $doorstep sieve check -- --help
like "$($doorstep sieve check -- --help 2>&1)" "*cannot read*--help*" \
	"and its name is told"
exits 64 "an unknown option is no file" $doorstep sieve check --frob good.sieve
exits 1 "settings are obeyed" \
	$doorstep -o sieve_extensions=fileinto sieve check good.sieve

# The rows of the table, in alphabetical order.
all=$(tr '\n' ' ' <"$TEST_SOURCE/sieve/commands.def" |
	grep -oE 'EXTENSION\([A-Z0-9_]+,[[:space:]]*"[^"]+"' | cut -d'"' -f2 | sort)
is "$($doorstep sieve capabilities | sort)" "$all" \
	"capabilities are listed one a line"
like "$all" "*fileinto*" "there are some"
is "$($doorstep -o sieve_extensions=fileinto --json sieve capabilities)" \
	'["comparator-i;octet","comparator-i;ascii-casemap","fileinto"]' \
	"those that a script may require under the settings"
exits 64 "capabilities takes no arguments" $doorstep sieve capabilities x

is "$($doorstep sieve test good.sieve list.eml)" \
	'fileinto "Lists/dev" flags="\\Seen"
redirect "x@example.net"' \
	"actions are printed one a line; the sender is that of Return-Path"
is "$($doorstep sieve test good.sieve plain.eml)" keep \
	"the implicit keep is printed as keep"
is "$($doorstep sieve test -f '<>' good.sieve list.eml)" \
	'fileinto "Lists/dev" flags="\\Seen"' "-f wins over Return-Path"
is "$($doorstep sieve test -f a@example.org good.sieve plain.eml)" \
	'redirect "x@example.net"' "-f is the sender"
is "$($doorstep sieve test -r amy+x@example.com good.sieve plain.eml)" discard \
	"-r is the recipient"
is "$($doorstep sieve test -r amy -a amy+x@example.com good.sieve plain.eml)" \
	discard "-a wins over -r"
# -u: the folders and settings of a user
mkdir -p home/amy/Maildir/cur home/amy/Maildir/.Here/cur
me=$(id -u)
[ "$me" -ne 0 ] || me=61030
cat >users <<EOF
amy:x:$me:$me::$PWD/home/amy::
bob:x:$me:$me::$PWD/home/bob::sieve_extensions=fileinto
EOF
cat >users.conf <<EOF
userdb {
  driver = passwd-file
  args = $PWD/users
}
EOF
cat >where.sieve <<'EOF'
require ["fileinto", "mailbox"];
if mailboxexists "Here" { fileinto "Here"; }
if mailboxexists "There" { fileinto "There"; }
EOF
with_users="$TEST_BUILD/ctl/doorstep -c users.conf"
is "$($with_users sieve test -u amy where.sieve plain.eml)" \
	'fileinto "Here"' "-u looks at the user's folders"
is "$($with_users sieve test -u amy -m There where.sieve plain.eml)" \
	'fileinto "There"' "-m wins over them"
exits 1 "-u takes the user's settings" \
	$with_users sieve test -u bob where.sieve plain.eml
cat >listed.sieve <<'EOF'
require "extlists";
if header :list "subject" "tag:example.org,2026:subjects" { discard; }
EOF
sed -n 's/^Subject: //p' plain.eml >home/amy/subjects
cat >lists.conf <<EOF
sieve_extlists_list = tag:example.org,2026:subjects lines:~/subjects
!include users.conf
EOF
is "$("$TEST_BUILD/ctl/doorstep" -c lists.conf sieve test -u amy listed.sieve \
	plain.eml)" discard "-u looks into the user's lists"
is "$("$TEST_BUILD/ctl/doorstep" -c lists.conf sieve test listed.sieve \
	plain.eml)" keep "without a user there are none"
exits 67 "an unknown user" \
	$with_users sieve test -u cat where.sieve plain.eml

# include: scripts of the user, of all, or beside the script
mkdir -p home/amy/sieve global beside
echo 'discard;' >home/amy/sieve/mine.sieve
echo 'redirect "all@example.org";' >global/ours.sieve
echo 'redirect "beside@example.org";' >beside/mine.sieve
cat >beside/main.sieve <<'EOF'
require "include";
include "mine";
include :global :optional "ours";
EOF
is "$($doorstep sieve test beside/main.sieve plain.eml)" \
	'redirect "beside@example.org"' \
	"without a user included scripts lie beside the script"
is "$($doorstep -o "sieve_global=$PWD/global" \
	sieve test beside/main.sieve plain.eml)" 'redirect "beside@example.org"
redirect "all@example.org"' "sieve_global is the folder of global scripts"
is "$($with_users -o "sieve_global=$PWD/global" \
	sieve test -u amy beside/main.sieve plain.eml)" 'discard
redirect "all@example.org"' "-u takes the user's scripts"
is "$($with_users -o sieve_dir=$PWD/beside -o 'sieve=~/.dovecot.sieve' \
	sieve test -u amy beside/main.sieve plain.eml)" \
	'redirect "beside@example.org"' "sieve_dir where sieve is a file"
exits 0 "check takes the user's scripts, too" \
	$with_users sieve check -u amy beside/main.sieve
echo 'keep;' >same.sieve
is "$($doorstep sieve diff same.sieve beside/main.sieve plain.eml)" \
	'plain.eml: old: keep
plain.eml: new: redirect "beside@example.org"' "diff takes included scripts, too"
mv beside/mine.sieve beside/gone
is "$($doorstep sieve check beside/main.sieve)" \
	'beside/main.sieve:2:9: error: there is no personal script "mine" (beside/mine.sieve); add ":optional" where it may be missing' \
	"check tells where it has looked"
printf 'keep;\nfrob;\n' >beside/mine.sieve
is "$($doorstep sieve check beside/main.sieve)" \
	'beside/mine.sieve:2:1: error: unknown command "frob"
beside/main.sieve:2:9: error: the included script "mine" has errors' \
	"errors are told with the name of their script"
exits 64 "check -u needs a file, too" $with_users sieve check -u amy

is "$($doorstep sieve test good.sieve list.eml plain.eml | tail -n 1)" \
	'plain.eml: keep' "several messages are named"
is "$($doorstep sieve test --trace good.sieve plain.eml | head -n 1)" \
	'trace good.sieve:2:4: header "hello" :matches "[*] *": false' \
	"--trace shows what was compared"
is "$($doorstep sieve test -m Small --trace good.sieve plain.eml |
	grep mailboxexists)" \
	'trace good.sieve:7:11: mailboxexists Big: false' \
	"with -m only the named mailboxes exist"
is "$($doorstep --json sieve test good.sieve plain.eml)" \
	'[{"message":"plain.eml","actions":[{"action":"keep","implicit":true}],"problems":[]}]' \
	"--json is for programs"

is "$($doorstep sieve test runtime.sieve plain.eml 2>errors)" keep \
	"a script that fails keeps"
is "$(cat errors)" 'runtime.sieve:3:1: error: redirect: "" is no address' \
	"and says where it failed"
exits 1 "and is a failure" $doorstep sieve test runtime.sieve plain.eml
exits 1 "a script in error is not run" $doorstep sieve test bad.sieve plain.eml
is "$($doorstep --json sieve test bad.sieve plain.eml 2>/dev/null)" \
	"$($doorstep --json sieve check bad.sieve)" \
	"and --json says what a check of it says"
exits 75 "a message that cannot be read is trouble" \
	$doorstep sieve test good.sieve none
# Limits on the parts of a message
cat >parts.sieve <<'EOT'
require ["foreverypart", "extracttext", "variables", "fileinto"];
foreverypart { extracttext "t"; fileinto "<${t}>"; }
EOT
printf 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b\n\n2\n--b--\n' \
	>parts.eml
is "$($doorstep sieve test parts.sieve parts.eml | tail -n 1)" \
	'fileinto "<2>"' "every part is found"
is "$($doorstep -o sieve_max_mime_parts=1 sieve test parts.sieve parts.eml)" \
	'fileinto "<>"' "sieve_max_mime_parts limits how many there are"
printf 'Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\na: b\n\n2' \
	>parts.eml
is "$($doorstep sieve test parts.sieve parts.eml | tail -n 1)" \
	'fileinto "<2>"' "a message in a message in a message is found"
is "$($doorstep -o sieve_max_mime_depth=1 sieve test parts.sieve parts.eml |
	tail -n 1)" 'fileinto "<>"' "sieve_max_mime_depth limits how deep"

# Programs of scripts
mkdir programs
printf '#!/bin/sh\necho "X-New: 1"\ncat\n' >programs/add
chmod 755 programs/add
cat >filter.sieve <<'EOT'
require ["vnd.dovecot.filter", "vnd.dovecot.pipe", "fileinto"];
filter "add";
if exists "X-New" { fileinto "New"; }
pipe :try "add" ["one", "a \"b"];
EOT
programs="-o sieve_filter_bin_dir=$PWD/programs -o sieve_pipe_bin_dir=$PWD/programs"
is "$($doorstep $programs sieve test filter.sieve plain.eml 2>errors)" \
	'pipe "add" "one" "a \"b"' "a program is not run by a test"
is "$(cat errors)" 'program add is not run without --run-programs' \
	"which is told"
is "$($doorstep $programs sieve test --run-programs filter.sieve plain.eml 2>&1)" \
	'fileinto "New"
pipe "add" "one" "a \"b"' "unless that is wanted"

exits 64 "test needs a message" $doorstep sieve test good.sieve
exits 64 "an unknown option is a wrong use" \
	$doorstep sieve test -z good.sieve plain.eml
done_testing
