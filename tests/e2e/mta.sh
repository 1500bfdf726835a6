# mta.sh - what every mail server's way to Doorstep has to show
#
#	mta_begin NAME             users, programs; samples/NAME is taken
#	mta_sample NAME FILE       the text of a sample with the test's paths
#	mta_server NAME            the LMTP server of samples/NAME/doorstep.conf
#	mta_ways HOW               the checks of one way, HOW is its name: both of
#	mta_arrives HOW            mail arrives as it was sent
#	mta_fates HOW              failures mean what they should
#	mta_outage HOW             that mail waits while the server is down
#
# A test has these of its own:
#	mta_send SENDER RECIPIENT... <MESSAGE    to the mail server's sendmail(1)
#	mta_retry                  try what waits
#	mta_waits WORDS            the queue shows this text
#
# Needs machine.sh, tap.sh, server.sh.  The sender of what may bounce is a user
# whose mailbox shows the bounce.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

domain=virtual.example.test
sample=$TEST_SOURCE/samples

# Everything of the sample's paths and numbers that a test has elsewhere.
mta_sample() {
	sed "s|/usr/libexec/doorstep/doorstep-lda|$TEST_WORK/bin/doorstep-lda -c $TEST_WORK/lda.conf|
		s|/usr/sbin/doorstep-lmtpd|$TEST_WORK/bin/doorstep-lmtpd|
		s|doorstep-lmtpd --stdio|& -c $TEST_WORK/$1.conf|
		s|/etc/doorstep/users|$TEST_WORK/users|
		s|/etc/doorstep/sieve|$TEST_WORK/sieve|
		s|/srv/mail|$TEST_WORK/home/vmail|
		s|/run/doorstep|$TEST_WORK/run-$1|
		s|/var/lib/doorstep|$TEST_WORK/state-$1|" "$sample/$2"
}

mta_begin() {
	install -d -m 1777 "$TEST_WORK/log"
	machine_user doorstep 61080
	machine_user doorstepd 61081
	machine_user doorstepm 61082
	machine_user vmail 61090
	machine_user amy 61091
	machine_user bob 61092
	echo "127.0.0.1 mx.example.test localhost" >/etc/hosts
	echo mx.example.test >/etc/mailname
	printf 'postmaster: amy\nroot: amy\nteam: amy, bob\n' >/etc/aliases
	machine_program doorstep-lda \
		"${DOORSTEP_LDA:-$TEST_BUILD/lda/doorstep-lda}"
	machine_program doorstep-lmtpd "$lmtpd"
	{
		mta_sample "$1" virtual-users.conf
		echo "hostname = mx.example.test"
		echo "log_path = $TEST_WORK/log/lda.log"
		echo "lmtp_save_to_detail_mailbox = yes"
		echo "!include $sample/quota.conf"
	} >"$TEST_WORK/lda.conf"
	install -m 666 /dev/null "$TEST_WORK/log/lda.log"
	for mta_user in keeper u1 u2 u3 refuser; do
		echo "$mta_user@$domain:::::::"
	done >"$TEST_WORK/users"
	cat >>"$TEST_WORK/users" <<END
brim@$domain:::::::userdb_quota_rule=*:storage=1K
later@$domain:::::::userdb_mail=maildir:/dev/null/nowhere
END
	chmod 644 "$TEST_WORK/users"
	install -d -m 700 -o vmail -g vmail "$TEST_WORK/home/vmail/$domain" \
		"$TEST_WORK/home/vmail/$domain/refuser"
	cat >"$TEST_WORK/home/vmail/$domain/refuser/.dovecot.sieve" <<'END'
require "ereject";
ereject "No mail on Sundays.";
END
}

mta_server() {
	{
		mta_sample "$1" "$1/doorstep.conf"
		echo "!include $sample/quota.conf"
	} | server_conf "$1"
	server_start "$1"
}

# message SUBJECT: long enough for the user who has room for 1 KB.
message() {
	cat <<END
From: Keeper <keeper@$domain>
To: somebody@example.test
Subject: $1
Message-ID: <$(echo "$1" | tr -cd 'A-Za-z0-9')@client.example>

.a line with a dot
From a line that begins with From
END
	head -c 4000 /dev/zero | tr '\0' x | fold -w 70
	echo
}

# folder_of USER: an account or a virtual user; its Maildir.
folder_of() {
	case $1 in
	amy | bob) echo "$TEST_WORK/home/$1/Maildir" ;;
	*) echo "$TEST_WORK/home/vmail/$domain/$1/Maildir" ;;
	esac
}

# found USER TEXT [FOLDER]: the files of messages with a line that has TEXT.
found() {
	grep -rlF -e "$2" "$(folder_of "$1")/${3:+.$3/}new" 2>/dev/null
}

found_any() {
	found "$@" | grep -q .
}
# copies USER SUBJECT [FOLDER]: how many there are.
copies() {
	grep -rlx -e "Subject: $2" "$(folder_of "$1")/${3:+.$3/}new" \
		2>/dev/null | wc -l
}

arrived() {
	[ "$(copies "$@")" -ge 1 ]
}
# bounced SUBJECT TEXT: one bounce of this message says TEXT.
bounced() {
	mta_id=$(echo "$1" | tr -cd 'A-Za-z0-9')
	found keeper "<$mta_id@client.example>" | xargs -r grep -lF -e "$2" |
		grep -q .
}

# mta_holds NAME COMMAND...: a check; the command succeeds in good time.
mta_holds() {
	mta_name=$1
	shift
	if wait_for "${MTA_WAIT_S:-20}" "$@"; then
		pass "$mta_name"
	else
		fail "$mta_name" "never true: $*" "$(mta_trouble)"
	fi
}

# What a reader of a failure wants to see.
mta_trouble() {
	tail -n 15 "$TEST_WORK"/log/* /var/log/*/* 2>/dev/null
}

mta_ways() {
	mta_arrives "$1"
	mta_fates "$1"
}

mta_arrives() {
	message "$1 One" | mta_send "keeper@$domain" "u1@$domain"
	mta_holds "$1: the mailbox is reached" arrived u1 "$1 One"
	mta_file=$(found u1 "Subject: $1 One")
	is "$(grep '^Return-Path:' "$mta_file")" \
		"Return-Path: <keeper@$domain>" "$1: with one Return-Path"
	is "$(grep -cx '.a line with a dot' "$mta_file")$(grep -cx \
		'>*From a line that begins with From' "$mta_file")" 11 \
		"$1: lines with a dot, and with From, are as they were"
	is "$(grep -c '^From \|^>From ' "$mta_file")" 1 \
		"$1: no line of an mbox was put before or into it"
	is "$(stat -c %U "$mta_file")" vmail "$1: the mail is vmail's"

	mkdir -p "$(folder_of u2)/.lists/cur" "$(folder_of u2)/.lists/new" \
		"$(folder_of u2)/.lists/tmp" "$(folder_of u2)/cur" \
		"$(folder_of u2)/new" "$(folder_of u2)/tmp"
	chown -R vmail: "$TEST_WORK/home/vmail/$domain/u2"
	message "$1 Detail" | mta_send "keeper@$domain" "u2+lists@$domain"
	mta_holds "$1: a detail names the folder" arrived u2 "$1 Detail" lists

	message "$1 Null" | mta_send "<>" "u1@$domain"
	mta_holds "$1: mail of the null sender comes" arrived u1 "$1 Null"
	is "$(grep -h '^Return-Path:' "$(found u1 "Subject: $1 Null")")" \
		"Return-Path: <>" "$1: and it stays null"
}

# Five recipients of one message, five ends.
mta_fates() {
	sed -i "s|^\(later@.*\)::.*|\1::userdb_mail=maildir:/dev/null/nowhere|" \
		"$TEST_WORK/users"
	message "$1 Fates" | mta_send "keeper@$domain" "u3@$domain" \
		"nobody@$domain" "brim@$domain" "refuser@$domain" "later@$domain"
	mta_holds "$1: one of five is filed" arrived u3 "$1 Fates"
	mta_holds "$1: 550 5.1.1, exit status 67: no such user" \
		bounced "$1 Fates" "5.1.1"
	mta_holds "$1: 552, exit status 77: full" \
		bounced "$1 Fates" "Quota exceeded"
	mta_refused "$1"
	mta_holds "$1: 451, exit status 75: the mail waits" \
		mta_waits "later@$domain"
	sed -i "s|^\(later@.*\)::.*|\1::|" "$TEST_WORK/users"
	mta_retry
	mta_holds "$1: and is filed later" arrived later "$1 Fates"
	is "$(copies u3 "$1 Fates")$(copies later "$1 Fates")" 11 \
		"$1: nobody has it twice"
	mta_holds "$1: nothing waits any more" mta_waits_not "later@$domain"
}

# rcpt_says RECIPIENT: the reply to a RCPT from another host than the MTA's own.
rcpt_says() {
	python3 "$TEST_SOURCE/tests/e2e/rcpt.py" 127.0.0.2 "$1"
}

# mta_verifies HOW: what the mail server answers to RCPT once it has asked Doorstep.
mta_verifies() {
	like "$(rcpt_says "u1@$domain")" "250 *" "$1: a user is accepted"
	like "$(rcpt_says "nobody@$domain")" "550 *" "$1: nobody else is"
	like "$(rcpt_says "u2@elsewhere.example")" "550 *" \
		"$1: mail for other hosts is not relayed"
	echo "new@$domain:::::::" >>"$TEST_WORK/users"
	like "$(rcpt_says "new@$domain")" "250 *" \
		"$1: a new user is known at once"
	server_stop
	like "$(rcpt_says "u1@$domain")" "45? *" \
		"$1: without the server the client is to try again"
	server_start "$2"
}

# A script's refusal: of a session, the MTA's bounce; of doorstep-lda, its own mail.
mta_refused() {
	mta_holds "$1: the sender is told what a script refuses" \
		found_any keeper "No mail on Sundays."
	find "$(folder_of keeper)/new" -type f -delete
}

mta_waits_not() {
	! mta_waits "$1"
}

mta_outage() {
	server_stop
	message "$1 Outage" | mta_send "keeper@$domain" "u1@$domain"
	mta_holds "$1: while the server is down mail waits" \
		mta_waits "u1@$domain"
	server_start "$2"
	mta_retry
	mta_holds "$1: and comes when it is back" arrived u1 "$1 Outage"
}
