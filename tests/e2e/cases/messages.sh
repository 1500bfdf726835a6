# Odd messages arrive byte for byte.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_user hal 61008

# arrives NAME: the file "sent" is what stands behind Postfix's own fields.
arrives() {
	rm -f $(files hal)
	smtp ada@client.example hal@example.test <sent
	file=$(files hal)
	tail -c "$(stat -c %s sent)" "$file" >stored
	if cmp -s sent stored; then
		pass "$1 arrives byte for byte"
	else
		fail "$1 arrives byte for byte" "$(cmp sent stored 2>&1)" "$file"
	fi
	size=$(stat -c %s "$file")
	lines=$(wc -l <"$file")
	like "$file" "*,S=$size,W=$((size + lines))*" \
		"$1: the name tells the right sizes"
	is "$(fetch hal "size.physical size.virtual")" \
		"$size $((size + lines))" "$1: Dovecot finds the same sizes"
}

printf 'Subject: caf\303\251 \351\n\nGr\303\274\303\237e \374\377\200\n' >sent
arrives "8-bit text"
printf 'Subject: dots\n\n.\n..\n.hidden\nend\n.\n' >sent
arrives "lines of dots"
{
	printf 'Subject: long\n\n'
	head -c 100000 /dev/zero | tr '\0' x
	echo
} >sent
arrives "a line of 100 KB"
printf '\nno header at all\n' >sent
arrives "a message without header"
printf 'no colon here\n\nbody\n' >sent
smtp ada@client.example hal@example.test <sent
is "$(fetch hal uid | wc -l)" 2 "a broken header does not stop a message"
printf 'From: x\nFrom: y\nSubject: a\n b\n\tc\nSubject: d\n\n\n\n\n' >sent
arrives "folded and doubled fields"
printf 'Subject: From\n\nFrom here on\nFrom x Mon Jan  1 00:00:00 2024\n' >sent
arrives "From lines in the body"
{
	printf 'Subject: big\n\n'
	head -c 15000000 /dev/urandom | base64
} >sent
arrives "a message of 20 MB"

printf 'From: ada@client.example\r\nTo: hal@example.test\r\nSubject: crlf\r\n\r\na\r\nb\r\n' |
	sendmail -t
sleep 0.2
postfix_drain
is "$(fetch hal hdr.subject "subject crlf")" "crlf" \
	"a message with CR LF given to sendmail arrives"
is "$(cat $(files hal) | grep -ac "$(printf '\r')$")" 0 \
	"and is stored with LF"
rm -f sent stored
