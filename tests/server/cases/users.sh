# Recipients of several kinds, in one transaction.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

cat >"$TEST_WORK/users" <<END
one@example.test::61091:61091::$TEST_WORK/home/amy::
two@example.test::61091:61091::$TEST_WORK/home/amy/two::
three@example.test::61092:61092::$TEST_WORK/home/bob::
low@example.test::100:100::$TEST_WORK/home/low::
END
rm -rf "$TEST_WORK/home/amy/Maildir" "$TEST_WORK/home/bob/Maildir"
server_conf users <<END
mail_location = maildir:~/Maildir
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
server_start users
target=$TEST_WORK/run-users/lmtp
is "$(python deliver "$target" one@example.test nobody@example.test \
	three@example.test low@example.test two@example.test)" \
	"one@example.test 250
nobody@example.test 550
three@example.test 250
low@example.test 451
two@example.test 250" "every recipient has its own answer"
log=$(cat "$TEST_WORK/log/users.log")
like "$log" "*<*:R2>: refused <nobody@example.test>: 550 5.1.1 *" \
	"the log names who was refused, in which session"
like "$log" "*lookup(*): Error: <*:R4>: *low@example.test*" \
	"what stands against a user is told with the session"
like "$(OPTIONS=-v python deliver "$target" low@example.test)" \
	"*451 4.3.5 <low@example.test> *" "a reply to RCPT names the recipient"
new_of() {
	find "$TEST_WORK/home/$1/Maildir/new" -type f
}
is "$(stat -c %h "$(new_of amy)")" 2 \
	"two recipients of one uid share the bytes of their copies"
is "$(stat -c %i "$(new_of amy)")" "$(stat -c %i "$(new_of amy/two)")" \
	"by a hard link"
is "$(stat -c %h "$(new_of bob)")" 1 "another uid has a copy of its own"
unlike "$(cat "$(new_of amy)")" "*Delivered-To:*" \
	"with several recipients there is no Delivered-To"
like "$(head -n 1 "$(new_of amy)")" "Return-Path: <ada@client.example>" \
	"Return-Path is on top"
like "$(cat "$(new_of amy)")" "*
Received: from client.example*by mx.example.test with LMTP*" \
	"below it a Received of ours"
rm -rf "$TEST_WORK"/home/*/Maildir "$TEST_WORK"/home/amy/two
python deliver "$target" one+Work@example.test >/dev/null
like "$(cat "$(new_of amy)")" "*
Delivered-To: one+Work@example.test
*" "a single one is named by Delivered-To as it was given"
mkdir -p "$TEST_WORK/home/amy/Maildir/.work/new" \
	"$TEST_WORK/home/amy/Maildir/.work/cur" \
	"$TEST_WORK/home/amy/Maildir/.work/tmp"
chown -R amy:amy "$TEST_WORK/home/amy/Maildir/.work"
python deliver "$target" one+Work@example.test >/dev/null
is "$(find "$TEST_WORK/home/amy/Maildir/.work/new" -type f | wc -l)" 1 \
	"a detail finds its folder whatever the case"
server_stop
