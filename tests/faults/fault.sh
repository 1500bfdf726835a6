# fault.sh - a delivery that can be repeated with a fault at any system call
#
#	scene NAME    the user's home as it is before the delivery, and what the
#	              delivery has to leave behind
#	deliver ...   one delivery, in $status
#	verdict       what is wrong with what it left, or nothing
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

lda=$TEST_WORK/bin/doorstep-lda
home=$TEST_WORK/home/victim
conf=$TEST_WORK/doorstep.conf
sent=$TEST_WORK/sent

fault_begin() {
	machine_user victim 61020
	cat >"$conf" <<END
hostname = mx.example.test
mail_location = maildir:~/Maildir
lda_mailbox_autocreate = yes
lda_mailbox_autosubscribe = yes
log_path = /dev/stderr
sendmail_path = /bin/false
END
	cd "$TEST_WORK/home" || bail_out "no home"
	# strace writes it in the victim's name.
	install -m 666 /dev/null "$TEST_WORK/trace"
}

# as_victim COMMAND...: in the victim's name, with an environment like an MTA's.
as_victim() {
	env -i PATH="$PATH" USER=victim HOME="$home" TZ=UTC \
		setpriv --reuid=61020 --regid=61020 --clear-groups "$@"
}

# scene NAME: sets $wanted, the folders that a copy has to be in, as paths.
#   plain    an INBOX that exists, no script
#   fresh    nothing exists yet; the script files into two new folders, into one
#            with a flag and a keyword
#   seen     INBOX exists; the script discards what was seen before
#   large    a message too long for memory, INBOX exists
scene() {
	rm -rf "$home"
	install -d -m 700 -o victim -g victim "$home"
	scene_text='A short text.'
	case $1 in
	plain)
		wanted=Maildir
		scene_maildir
		;;
	fresh)
		wanted='Maildir Maildir/.Lists.Dev'
		cat >"$home/.dovecot.sieve" <<'END'
require ["fileinto", "copy", "imap4flags"];
fileinto :copy :flags ["\\Seen", "Junk"] "Lists/Dev";
keep;
END
		# What was killed leaves its lock, which the next one waits for.
		sed -i '/^maildir_keywords/,$d' "$conf"
		printf '%s\n' 'maildir_keywords_lock_timeout = 50 msecs' \
			'namespace inbox {' ' inbox = yes' ' separator = /' \
			'}' >>"$conf"
		;;
	seen)
		wanted=Maildir
		scene_maildir
		printf 'require "duplicate";\nif duplicate { discard; }\n' \
			>"$home/.dovecot.sieve"
		;;
	large)
		wanted=Maildir
		scene_maildir
		scene_text=$(head -c 400000 /dev/zero | tr '\0' 'x' | fold -w 70)
		;;
	esac
	cat >"$sent" <<END
From: ada@client.example
Subject: Fault in $1
Message-ID: <fault@client.example>

$scene_text
END
}

scene_maildir() {
	for scene_folder in Maildir Maildir/new Maildir/cur Maildir/tmp; do
		install -d -m 700 -o victim -g victim "$home/$scene_folder"
	done
}

# deliver [WRAPPER...]: one delivery, run by the wrapper if any, with the setting
# in $override if any.
override=
deliver() {
	as_victim "$@" "$lda" -c "$conf" ${override:+-o "$override"} \
		-f ada@client.example <"$sent" >"$TEST_WORK/output" 2>&1
	status=$?
	override=
}

# Mail that a reader can see.
visible() {
	find "$home" -path "$home/*/new/*" -type f -o \
		-path "$home/*/cur/*" -type f
}

# What lies in any tmp folder.
leftovers() {
	find "$home" -path "$home/*/tmp/*" -type f
}

is_whole() {
	tail -c "$(stat -c %s "$sent")" "$1" | cmp -s "$sent" -
}

# Nothing when all is well; else what is not.  Looks at $status and the home.
verdict() {
	for verdict_file in $(visible); do
		is_whole "$verdict_file" || {
			echo "partial copy $verdict_file (status $status)"
			return
		}
	done
	if [ "$status" -eq 0 ]; then
		for verdict_folder in $wanted; do
			find "$home/$verdict_folder/new" \
				"$home/$verdict_folder/cur" -type f \
				2>/dev/null | grep -q . || {
				echo "status 0, but no copy in $verdict_folder"
				return
			}
		done
	elif [ "$status" -lt 128 ] && [ -n "$(visible)" ]; then
		echo "status $status, but a copy can be seen"
	fi
}

# calls: the system calls of one delivery of the scene that are the program's own,
# one "NAME NUMBER" a line, where NUMBER counts the calls of that name from the
# start of the process.  The loader's calls are left out: no program can answer
# for those.
calls() {
	deliver strace -o "$TEST_WORK/trace"
	[ "$status" -eq 0 ] || {
		diag "$(cat "$TEST_WORK/output")"
		bail_out "the delivery does not work without a fault"
	}
	awk -v marker="$conf" '
		match($0, /^[a-z0-9_]+\(/) {
			name = substr($0, 1, RLENGTH - 1)
			count[name]++
			if (index($0, marker) && name != "execve")
				own = 1
			if (own && name != "exit_group")
				print name, count[name]
		}' "$TEST_WORK/trace"
}

# at_each_call SCENE INJECTION CHECK [PATTERN]: one delivery for each system call
# whose name matches the (extended) pattern, with that fault at it, then CHECK,
# which prints what is wrong.  Prints a line for each fault that did harm, and
# leaves the number of deliveries in $faults.
at_each_call() {
	scene "$1"
	calls | grep -E "^(${4:-.*}) " >"$TEST_WORK/calls"
	faults=0
	harm=
	while read -r call number; do
		scene "$1"
		deliver strace -o /dev/null \
			-e "inject=$call:$2:when=$number"
		faults=$((faults + 1))
		fault_result=$($3)
		[ -z "$fault_result" ] ||
			harm="$harm
$call:$2:when=$number: $fault_result"
	done <"$TEST_WORK/calls"
}

# harmless NAME: the faults of at_each_call did none, and there were some.
harmless() {
	if [ "$faults" -eq 0 ]; then
		fail "$1" "no fault was tried"
	elif [ -n "$harm" ]; then
		fail "$1" "of $faults faults:" "$(echo "$harm" | head -n 40)"
	else
		pass "$1 ($faults)"
	fi
}
