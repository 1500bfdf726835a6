#!/bin/sh
# Delivery into mbox files.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

cat >>"$conf" <<END
mail_location = mbox:~/mail
lda_mailbox_autosubscribe = yes
mail_log_prefix =
END

# mails FILE: how many messages Python finds, and their subjects.
mails() {
	python3 - "$1" <<'END'
import mailbox, os, sys
box = mailbox.mbox(sys.argv[1], create=False) if os.path.exists(sys.argv[1]) else []
print(len(box), *[message["subject"] for message in box])
END
}

lda -f ada@client.example
is "$status:$(mails "$home/mail/inbox")" "0:1 Hello" \
	"the INBOX of mbox:~/mail is the file inbox in it"
like "$(head -n 1 "$home/mail/inbox")" \
	"From ada@client.example  ??? ??? ?? ??:??:?? 20??" \
	"its From line has the sender and the time"
is "$(sed 1d "$home/mail/inbox")" "Return-Path: <ada@client.example>
Delivered-To: amy@mx.example.test
$(cat message)" "then comes the message"
is "$(tail -c 1 "$home/mail/inbox" | od -An -c | tr -d ' ')" '\n' \
	"and an empty line"
is "$(stat -c %a "$home/mail" "$home/mail/inbox" | tr '\n' ' ')" "700 600 " \
	"both are the user's alone"
like "$(cat "$log")" "*msgid=<hello@client.example>: saved mail to INBOX*" \
	"the log says so"
lda -f ""
is "$(mails "$home/mail/inbox")" "2 Hello Hello" "a second mail is added"
like "$(cat "$home/mail/inbox")" "*
From MAILER-DAEMON  *
Return-Path: <>
*" "the null sender is MAILER-DAEMON"
is "$(ls "$home/mail")" inbox "no lock is left"

fresh
lda -m Lists/C
is "$status:$(ls "$home/mail")" "0:inbox" "a folder that is not there means INBOX"
like "$(cat "$log")" "*Mailbox doesn't exist: Lists/C*" "and the log names it"
fresh
lda -o lda_mailbox_autocreate=yes -m Lists/C
is "$status:$(mails "$home/mail/Lists/C")" "0:1 Hello" \
	"lda_mailbox_autocreate makes the file and its folder"
is "$(sed 1,2d "$home/mail/.subscriptions" | tr '\t' /)" "Lists/C" \
	"it is subscribed in the file of mbox locations"
lda -o lda_mailbox_autocreate=yes -m Lists
is "$status:$(mails "$home/mail/inbox")" "0:1 Hello" \
	"a directory is no mailbox"
for name in Lists/C/D .hidden inbox.lock; do
	fresh
	mkdir "$home/mail" "$home/mail/Lists"
	: >"$home/mail/Lists/C"
	[ "$(id -u)" -ne 0 ] || chown -R $lda_uid:$lda_uid "$home/mail"
	lda -o lda_mailbox_autocreate=yes -m $name
	is "$status:$(mails "$home/mail/inbox")" "0:1 Hello" \
		"$name cannot be a mailbox"
done

fresh
script <<'END'
require ["fileinto", "mailbox", "imap4flags"];
fileinto :create :flags ["\\Seen", "\\Flagged"] "Kept";
keep;
END
lda
is "$status:$(mails "$home/mail/Kept"):$(mails "$home/mail/inbox")" \
	"0:1 Hello:1 Hello" "two folders get a copy each"
like "$(cat "$home/mail/Kept")" "*
Status: RO
X-Status: F

A line of text.*" "flags become Status and X-Status"
unlike "$(cat "$home/mail/inbox")" "*Status: *" "and only there"

fresh
echo "A note of mine" >"$home/notes"
[ "$(id -u)" -ne 0 ] || chown $lda_uid:$lda_uid "$home/notes"
lda -o "mail_location=mbox:~/:INBOX=~/notes"
is "$status:$(cat "$home/notes")" "75:A note of mine" \
	"a file that is no mbox is left alone"
like "$(cat "$log")" "*notes is no mbox*" "and the log says why"

# ---- locks ----

fresh
mkdir "$home/mail"
: >"$home/mail/inbox"
echo "1:elsewhere.example" >"$home/mail/inbox.lock"
[ "$(id -u)" -ne 0 ] || chown -R $lda_uid:$lda_uid "$home/mail"
lda -o mbox_lock_timeout=1
is "$status:$(mails "$home/mail/inbox")" 75:0 "a lock file is waited for"
like "$(cat "$log")" "*inbox is locked*inbox.lock is there, made by process 1\
 of elsewhere.example*" "the log tells whose it is"
like "$err" "*4.2.0*" "the status is 4.2.0"
lda -o mail_max_lock_timeout=1
is "$status" 75 "mail_max_lock_timeout shortens the wait"
lda -o mbox_lock_timeout=20 -o mbox_dotlock_change_timeout=1
is "$status:$(mails "$home/mail/inbox")" "0:1 Hello" \
	"a lock that nobody touches any longer is removed"
: >"$home/mail/inbox.lock"
lda -o mbox_write_locks=fcntl
is "$status:$(mails "$home/mail/inbox")" "0:2 Hello Hello" \
	"without dotlock it does not matter"
is "$(ls "$home/mail")" "inbox
inbox.lock" "and is left to its owner"

# A spool into which the user may not write: only root can make one.
if [ "$(id -u)" -eq 0 ]; then
	fresh
	mkdir "$TEST_WORK/spool"
	chmod 755 "$TEST_WORK/spool"
	: >"$TEST_WORK/spool/amy"
	chown $lda_uid:$lda_uid "$TEST_WORK/spool/amy"
	location="mbox:~/mail:INBOX=$TEST_WORK/spool/amy"
	lda -o "mail_location=$location"
	is "$status" 75 "a lock file that may not be made: exit 75"
	like "$(cat "$log")" "*missing +w perm: $TEST_WORK/spool,\
 dir owned by 0:0 mode=0755*mail_privileged_group*dotlock_try*" \
		"the log tells what is missing, and what would help"
	lda -o "mail_location=$location" -o "mbox_write_locks=fcntl dotlock_try"
	is "$status:$(mails "$TEST_WORK/spool/amy")" "0:1 Hello" \
		"dotlock_try goes on without"

	# Started by root, as mail for amy; the spool is for the group 61031.
	cat >>"$conf" <<END
mail_location = $location
mail_privileged_group = 61031
userdb {
  driver = static
  args = allow_all_users=yes uid=$lda_uid gid=$lda_uid home=$home
}
END
	as_user() {
		"$@"
	}
	# The kernel hides a process with a group in reserve from who looks for
	# leaks.
	environment="$environment ASAN_OPTIONS=detect_leaks=0"
	for mode in 2775 0775; do
		fresh
		rm -r "$TEST_WORK/spool"
		mkdir "$TEST_WORK/spool"
		chown 0:61031 "$TEST_WORK/spool"
		chmod $mode "$TEST_WORK/spool"
		lda -d amy
		lda -d amy
		is "$status:$(mails "$TEST_WORK/spool/amy")" \
			"0:2 Hello Hello" "a spool of mode $mode gets mail"
		is "$(stat -c %u:%g:%a "$TEST_WORK/spool/amy")" \
			"$lda_uid:61031:600" \
			"the INBOX is the user's, its group the spool's"
		is "$(ls "$TEST_WORK/spool")" amy "and no lock is left"
		lda -d amy -o lda_mailbox_autocreate=yes -m Lists
		is "$(stat -c %g "$home/mail/Lists")" $lda_uid \
			"other files are not made with that group"
	done
	lda -d amy -o mail_privileged_group=no-such-group
	is "$status" 75 "a group that is not there is an error"
	like "$(cat "$log")" "*mail_privileged_group: *'no-such-group'*" \
		"and the log names it"
	rm -r "$TEST_WORK/spool"
fi
done_testing
