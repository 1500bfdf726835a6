# postfix.sh - a Postfix of the test's own
#
# Needs a private machine (tests/lib/machine.sh): /etc/postfix becomes ours, so
# that sendmail(1) needs no option for it, whoever calls it.  Mail for other
# domains, bounces included, ends in files below $TEST_WORK/record.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

# postfix_begin MAIN MASTER: the texts of further lines of both files.
postfix_begin() {
	mkdir "$TEST_WORK/postfix" "$TEST_WORK/queue"
	install -d -o postfix "$TEST_WORK/data"
	# What Debian keeps beside main.cf is needed to start at all.
	find /etc/postfix -mindepth 1 -maxdepth 1 ! -name main.cf \
		! -name master.cf -exec cp -a {} "$TEST_WORK/postfix" ';'
	postfix_record
	{
		postfix_main
		printf '%s\n' "$1"
	} >"$TEST_WORK/postfix/main.cf"
	{
		postfix_master
		printf '%s\n' "$2"
	} >"$TEST_WORK/postfix/master.cf"
	mount --bind "$TEST_WORK/postfix" /etc/postfix ||
		bail_out "cannot mount /etc/postfix"
	at_end "umount -l /etc/postfix"
	postfix check >"$TEST_WORK/log/postfix-start" 2>&1 &&
		postfix start >>"$TEST_WORK/log/postfix-start" 2>&1 || {
		diag "$(tail -n 20 "$TEST_WORK"/log/postfix*)"
		bail_out "Postfix does not start"
	}
	at_end "postfix stop >/dev/null 2>&1"
	wait_for 10 test -S "$TEST_WORK/queue/public/cleanup"
}

postfix_main() {
	cat <<END
compatibility_level = 3.6
queue_directory = $TEST_WORK/queue
data_directory = $TEST_WORK/data
mail_owner = postfix
maillog_file = $TEST_WORK/log/postfix.log
maillog_file_prefixes = $TEST_WORK
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mx.example.test
myorigin = example.test
mydestination = example.test
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_host_lookup = native
alias_maps = texthash:$TEST_WORK/aliases
alias_database =
default_transport = record
# Messages are to arrive byte for byte.
local_header_rewrite_clients =
message_size_limit = 120000000
# Nothing here waits: what is to be tried again is tried when the test says so.
in_flow_delay = 0
minimal_backoff_time = 1h
maximal_backoff_time = 2h
END
}

postfix_master() {
	cat <<END
25        inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
local     unix  - n n - - local
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
record    unix  - n n - - pipe
  flags=q user=recorder argv=$TEST_WORK/bin/record \${sender} \${recipient}
END
}

# record FROM TO...: one message for the outside, as a file.
postfix_record() {
	machine_user recorder 61099
	install -d -m 1777 "$TEST_WORK/record"
	cat >"$TEST_WORK/bin/record" <<END
#!/bin/sh
umask 022
file=\$(mktemp $TEST_WORK/record/XXXXXX) || exit 75
{ printf 'Envelope: %s\n' "\$*"; cat; } >"\$file" || exit 75
chmod 644 "\$file"
END
	chmod 755 "$TEST_WORK/bin/record"
}

# The queue has nothing left to do but deferred mail.  Bounces and forwarded
# mail enter the queue before their cause leaves it.
postfix_is_idle() {
	[ -z "$(find "$TEST_WORK/queue/maildrop" "$TEST_WORK/queue/incoming" \
		"$TEST_WORK/queue/active" -type f 2>/dev/null)" ]
}

# postfix_drain: until every message is delivered, bounced or deferred.
postfix_drain() {
	wait_for 60 postfix_is_idle || {
		echo "the queue is not finished:"
		mailq
	} >>"$TEST_WORK/log/refused"
}

# smtp SENDER RECIPIENT... <MESSAGE: send by SMTP and see it delivered.  It often
# is the end of a pipe, where no check can be counted: see postfix_took_all.
smtp() {
	python3 "$TEST_SOURCE/tests/e2e/smtp.py" "$@" \
		>"$TEST_WORK/log/smtp" 2>&1 ||
		{
			echo "not sent: $*"
			cat "$TEST_WORK/log/smtp"
		} >>"$TEST_WORK/log/refused"
	postfix_drain
}

postfix_took_all() {
	is "$(cat "$TEST_WORK/log/refused" 2>/dev/null)" "" \
		"Postfix took and handled every message"
}
