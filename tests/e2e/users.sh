# users.sh - the users of the end to end tests, set up as the samples say
#
# The files of samples/ are used as they are, but for paths.  All users
# are there from the start: Dovecot and Postfix keep what they have read.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

sample=$TEST_SOURCE/samples
lda=$TEST_WORK/bin/doorstep-lda
domain=virtual.example.test

# Lines of a passwd-file, which Doorstep and Dovecot both read.
virtual_table() {
	grep -v "^#" "$sample/postfix/virtual/users"
	for virtual_name in dora mover locked later marker noted; do
		echo "$virtual_name@$domain:::::::"
	done
	echo "reader1@$domain:::::::userdb_mail=maildir:~/Maildir"
	echo "reader2@$domain:::::::userdb_mail=maildir:~/Maildir:LAYOUT=fs"
	echo "reader3@$domain:::::::userdb_mail=maildir:~/Maildir:UTF-8"
	echo "reader4@$domain:::::::userdb_namespace/inbox/prefix=INBOX. userdb_namespace/inbox/separator=."
	echo "boxes@$domain:::::::userdb_mail=mbox:~/mail:INBOX=~/inbox"
	echo "markbox@$domain:::::::userdb_mail=mbox:~/mail:INBOX=~/inbox"
	echo "full@$domain:::::::userdb_mail=maildir:$TEST_WORK/small/full"
	echo "zero@$domain:::::::userdb_uid=0 userdb_gid=0"
}

# with_our_paths: the text of a sample, calling the program under test with the
# configuration of a kind, "system" or "virtual".
with_our_paths() {
	sed "s|/usr/libexec/doorstep/doorstep-lda|$lda -c $TEST_WORK/$1.conf|
		s|/etc/doorstep/users|$TEST_WORK/users|
		s|/etc/doorstep/sieve|$TEST_WORK/sieve|
		s|/srv/mail|$TEST_WORK/home/vmail|"
}

# from_sample FILE KIND: lines for Postfix, or a user's file.
from_sample() {
	with_our_paths "$2" <"$sample/postfix/$2/$1"
}

users_begin() {
	machine_user vmail 61090
	echo "helpdesk amy, bob" >"$TEST_WORK/aliases"
	users_commands >"$TEST_WORK/commands"
	virtual_table >"$TEST_WORK/users"
	sed -n "s|^\([^@#]*\)\(@[^:]*\):::::::|\1\2::61090:61090::$TEST_WORK/home/vmail/$domain/\1::|p" \
		"$TEST_WORK/users" >"$TEST_WORK/readers"
	cut -d: -f6 "$TEST_WORK/readers" |
		xargs install -d -m 700 -o vmail -g vmail \
			"$TEST_WORK/home/vmail/$domain"
	for users_kind in system virtual; do
		{
			with_our_paths $users_kind <"$sample/$users_kind-users.conf"
			echo "hostname = mx.example.test"
			echo "log_path = $TEST_WORK/log/lda.log"
			echo "sendmail_path = /usr/sbin/sendmail"
		} >"$TEST_WORK/$users_kind.conf"
	done
	install -m 666 /dev/null "$TEST_WORK/log/lda.log"
}

# One user's command has the options of dovecot-lda; all others have the sample's
# command, which has none.
users_commands() {
	echo "amy $lda -c $TEST_WORK/system.conf" \
		'-f "$SENDER" -a "$ORIGINAL_RECIPIENT" -r "$RECIPIENT"' \
		'-m "$EXTENSION"'
}

users_main_cf() {
	from_sample main.cf system
	from_sample main.cf virtual
	# What only a test needs: every address of the domain exists.
	cat <<END
virtual_mailbox_maps = static:all
mailbox_command_maps = texthash:$TEST_WORK/commands
END
}

users_master_cf() {
	from_sample master.cf virtual
}

home_of() {
	cat /etc/passwd "$TEST_WORK/readers" |
		awk -F: -v user="$1" '$1 == user { print $6 }'
}

# script USER <SCRIPT: the user's own active script.
script() {
	script_file=$(home_of "$1")/.dovecot.sieve
	cat >"$script_file"
	chown --reference="${script_file%/*}" "$script_file"
}

# message SUBJECT [TEXT]: a short message.
message() {
	cat <<END
From: Ada <ada@client.example>
To: somebody@example.test
Subject: $1
Message-ID: <$(echo "$1" | tr -cd 'A-Za-z0-9')@client.example>

${2:-A line of text.}
END
}

# files USER [FOLDER]: paths of its messages, new ones first.
files() {
	files_root=$(home_of "$1")/Maildir${2:+/$2}
	find "$files_root/new" "$files_root/cur" -type f 2>/dev/null
}

# count USER [FOLDER]
count() {
	files "$@" | wc -l
}

# log_of USER: the delivery agent's last line about that user.
log_of() {
	grep -F "lda($1)" "$TEST_WORK/log/lda.log" | tail -n 1
}
