# dovecot.sh - a Dovecot of the test's own, which only reads
#
# IMAP on port 143 of a private machine, password "x" for everybody.  Users stand
# in $TEST_WORK/readers, in passwd-file form, or in /etc/passwd.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

dovecot_begin() {
	dovecot_log=$TEST_WORK/log/dovecot.log
	mkdir "$TEST_WORK/run"
	# It notes each instance there; not on this machine's disk.
	mount -t tmpfs -o mode=755 tmpfs /var/lib/dovecot ||
		bail_out "cannot mount /var/lib/dovecot"
	at_end "umount -l /var/lib/dovecot"
	cat >"$TEST_WORK/dovecot.conf" <<END
base_dir = $TEST_WORK/run
log_path = $dovecot_log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 500
mail_location = maildir:~/Maildir
mail_attribute_dict = file:%h/dovecot-attributes
protocol imap {
  imap_metadata = yes
}
service imap-login {
  inet_listener imap {
    port = 143
  }
  inet_listener imaps {
    port = 0
  }
}
passdb {
  driver = static
  args = password=x
}
userdb {
  driver = passwd-file
  args = username_format=%u $TEST_WORK/readers
}
userdb {
  driver = passwd
}
namespace inbox {
  inbox = yes
  separator = /
}
END
	dovecot -c "$TEST_WORK/dovecot.conf" >"$TEST_WORK/log/dovecot-start" \
		2>&1 || {
		diag "$(tail -n 20 "$TEST_WORK"/log/dovecot*)"
		bail_out "Dovecot does not start"
	}
	at_end "doveadm -c $TEST_WORK/dovecot.conf stop 2>/dev/null"
	# On a busy machine its processes may miss each other at the start, which
	# they mend themselves.  Only what it says of mail is looked at.
	wait_for 20 doveadm -c "$TEST_WORK/dovecot.conf" who ||
		bail_out "Dovecot does not answer"
	: >"$dovecot_log"
}

dovecot_admin() {
	doveadm -c "$TEST_WORK/dovecot.conf" "$@" 2>>"$TEST_WORK/log/doveadm"
}

# fetch USER FIELDS [QUERY]: one line for each message, fields parted by a blank.
fetch() {
	# shellcheck disable=SC2086 # the query is several words
	dovecot_admin -f tab fetch -u "$1" "$2" ${3:-ALL} |
		sed 1d | tr '\t' ' '
}

# imap USER COMMAND...: says the commands, prints all answers.
imap() {
	python3 "$TEST_SOURCE/tests/e2e/imap.py" "$@" 2>&1
}

# dovecot_is_content NAME: nothing was wrong with what it read.
dovecot_is_content() {
	is "$(grep -hE 'Warning|Error|Fatal|Panic|[Cc]orrupt|Broken' \
		"$dovecot_log" "$TEST_WORK/log/doveadm" 2>/dev/null)" "" "$1"
}
