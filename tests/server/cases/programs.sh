# Programs that scripts ask for run as the user whose script it is, in a process of
# its own.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

programs=$TEST_WORK/programs
mkdir -p "$programs"
cat >"$programs/tell" <<'END'
#!/bin/sh
echo "X-Who: $(id -u) $(id -g) $(tr '\0' ' ' </proc/$PPID/cmdline)"
sed -n 's/^\(Cap[A-Z][a-z]*\):[^0-9]*/X-\1: /p' /proc/self/status
cat
END
chmod 755 "$programs/tell"
server_conf programs <<END
mail_location = maildir:~/Maildir
sieve_filter_bin_dir = $programs
sieve_filter_input_eol = lf
sieve_default = $TEST_WORK/programs.sieve
userdb {
  driver = passwd
}
END
cat >"$TEST_WORK/programs.sieve" <<'END'
require "vnd.dovecot.filter";
filter "tell";
END
chmod 644 "$TEST_WORK/programs.sieve"
server_start programs
is "$(python deliver "$TEST_WORK/run-programs/lmtp" amy bob)" \
	"amy 250
bob 250" "mail for two users goes through a program"

# told USER: what the program has told, in the message that it has seen
told() {
	told_home=$(getent passwd "$1" | cut -d: -f6)
	sed -n '/^$/q; p' "$(grep -ls '^X-Who: ' "$told_home"/Maildir/new/* |
		tail -n 1)"
}
for user in amy bob; do
	like "$(told $user | grep '^X-Who:')" \
		"X-Who: $(id -u $user) $(id -g $user) *--child=runner*" \
		"$user: it ran as that user, under a runner"
	is "$(told $user | grep -c '^X-Cap[IPE]')" 3 "$user: its capabilities"
	is "$(told $user | grep '^X-Cap[IPE]' | cut -d' ' -f2 | sort -u)" \
		0000000000000000 "$user: are none"
done
is "$(server_processes runner | wc -l)" 2 "each has a runner"
is "$(for pid in $(server_processes runner); do
	awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status"
done | sort)" "$(for user in amy bob; do
	uid=$(id -u $user)
	echo "$uid $uid $uid $uid"
done | sort)" "of that user's uid in every way"
server_stop
is "$(server_deaths programs)" "" "nothing has died"
