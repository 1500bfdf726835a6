# Messages and scripts nobody should send.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# takes NAME: the message in "sent" is delivered whole, in a few seconds.
takes() {
	deliver timeout 20
	is "$status $(verdict)" "0 " "$1 is delivered whole"
}

scene plain
printf 'Subject: a\0b\n\0\nX: \0\n\nbody\0\0\nend\0' >"$sent"
takes "a message with NUL bytes"
scene plain
: >"$sent"
takes "an empty message"
scene plain
printf 'no end of line' >"$sent"
takes "a line without end"
scene plain
printf '\n\n\n' >"$sent"
takes "a message of empty lines"
scene plain
printf 'only text\nno header\n' >"$sent"
takes "a message without header"
scene plain
{
	printf 'Subject: '
	head -c 10000000 /dev/zero | tr '\0' x
	printf '\n\nbody\n'
} >"$sent"
takes "a field of 10 MB"
scene plain
{
	awk 'BEGIN { for (i = 0; i < 300000; i++)
		printf "X-Field-%d: some text of it %d\n", i, i }'
	printf '\nbody\n'
} >"$sent"
printf 'require "fileinto";\nif header :contains ["x-field-299999", "y"] "zzz" { discard; }\n' \
	>"$home/.dovecot.sieve"
takes "a header of 300,000 fields"
scene plain
{
	awk 'BEGIN { printf "Subject: a"; for (i = 0; i < 1000000; i++)
		printf "\n b%d", i }'
	printf '\n\nbody\n'
} >"$sent"
printf 'if header :matches "subject" "*a*b*c*d*e*f*g*" { discard; }\n' \
	>"$home/.dovecot.sieve"
takes "a field folded a million times"
scene plain
{
	awk 'BEGIN { printf "Subject: x\n\n"; for (i = 0; i < 2000000; i++)
		print "" }'
} >"$sent"
takes "two million empty lines"

# hard NAME: mail is delivered whatever is in the file "script".
script=$TEST_WORK/script
hard() {
	scene plain
	cp "$script" "$home/.dovecot.sieve"
	takes "mail under $1"
}
head -c 1048576 /dev/urandom >"$script"
hard "a script of random bytes"
awk 'BEGIN { for (i = 0; i < 14000; i++)
	printf "if header :contains \"subject\" \"word number %d of the script\" { keep; }\n", i
	}' >"$script"
hard "a script of 1 MB"
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "if not " }' >"$script"
hard "a script of nested tests"
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "if true { " }' >"$script"
hard "a script of nested blocks"
printf 'require "fileinto"\nfileinto "x"' >"$script"
hard "a script without a semicolon"
printf 'if header "subject" "x { keep; }' >"$script"
hard "a string without end"
printf '/* no end' >"$script"
hard "a comment without end"
cp /bin/true "$script"
hard "a binary script"
cat >"$script" <<'END'
require "variables";
set "a" "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
set "a" "${a}${a}${a}${a}${a}${a}${a}${a}";
if string :matches "${a}" "*b*b*b*b*b" { discard; }
END
hard "a script that doubles a variable for ever"
scene plain
mkdir "$home/.dovecot.sieve"
takes "mail where the script is a folder"
scene plain
ln -s .dovecot.sieve "$home/.dovecot.sieve"
deliver timeout 20
like "$status $(verdict)" "[07]* " "a script that links to itself is no loss"
scene plain
mkfifo "$home/.dovecot.sieve"
chown victim "$home/.dovecot.sieve"
deliver timeout 20
ok "a script that is a pipe does not hang" test $status -ne 124
is "$(verdict)" "" "and is no loss"

# Folder names that lead elsewhere.
mkdir -p "$TEST_WORK/outside"
chmod 777 "$TEST_WORK/outside"
for folder in ../../../outside/x "$TEST_WORK/outside/x" "a/../../../../outside" \
	".." "." "a//b" "new" "~root/x" "INBOX/../x"; do
	scene plain
	printf 'require "fileinto"; fileinto "%s";' "$folder" \
		>"$home/.dovecot.sieve"
	deliver
	is "$(find "$TEST_WORK/outside" -type f)" "" \
		"fileinto \"$(echo "$folder" | sed "s|$TEST_WORK|...|")\" stays in the mailbox"
	[ "$status" -ne 0 ] || is "$(visible | wc -l)" 1 "and mail is filed once"
done
