#!/bin/sh
# Programs of the admin's that scripts ask for: run by a process of their own.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

bin=$TEST_WORK/programs
mkdir "$bin"
cat >>"$conf" <<END
mail_location = maildir:~/%n
sieve = ~/%n.sieve
sieve_pipe_bin_dir = $bin
sieve_filter_bin_dir = $bin
sieve_execute_bin_dir = $bin
sieve_execute_exec_timeout = 2s
END

# offer NAME: a shell script, its body on standard input.
offer() {
	{ echo '#!/bin/sh'; cat; } >"$bin/$1"
	chmod 755 "$bin/$1"
}
# script USER <SCRIPT
script() {
	cat >"$home/$1.sieve"
}
# mails USER: how many
mails() {
	find "$home/$1/new" "$home/$1/cur" -type f 2>/dev/null | wc -l
}
# send USER...: one message; the replies behind the dot.
send() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$@" <<'END'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
client = lmtp.Client(sys.argv[2])
addresses = sys.argv[3:]
client.begin("ada@client.example", addresses)
client.say("DATA", "354")
client.write(b"Subject: hello\r\n\r\nA line of text.\r\n.\r\n")
for _ in addresses:
    print("\n".join(client.reply()))
client.quit()
END
}
# runners: their process ids
runners() {
	"$TEST_BUILD/ctl/doorstep" -c "$conf" status |
		awk '$1 == "runner" { print $2 }'
}

offer mark <<'END'
echo "X-Parent: $(tr '\0' ' ' </proc/$PPID/cmdline)"
echo "X-Uid: $(id -u)"
cat
END
offer take <<END
cat >"$home/taken"
END
offer hang <<END
echo \$\$ >"$home/hangs"
exec sleep 1000
END
offer kill_runner <<'END'
kill -9 $PPID
END

ok "the server starts" start
is "$(runners)" "" "there is no runner that nobody needs"

script amy <<'END'
require "vnd.dovecot.filter";
filter "mark";
END
like "$(send amy)" "250 2.0.0 <amy> * Saved" "a message goes through a program"
ok "which a runner has started" \
	grep -q '^X-Parent: .*--child=runner' "$home"/amy/new/*
is "$(grep '^X-Uid:' "$home"/amy/new/*)" "X-Uid: $(stat -c %u "$home/amy/new")" \
	"as the user whose mail it is"
is "$(runners | wc -l)" 1 "the runner stays for a while"
first=$(runners)
send amy >/dev/null
is "$(runners)" "$first" "and is used again"

script bob <<'END'
require "vnd.dovecot.pipe";
pipe "take";
END
like "$(send bob)" "250 2.0.0 <bob> *" "a message is piped"
is "$(mails bob):$(grep -c 'A line of text' "$home/taken")" 0:1 \
	"and only the program has it"

# ---- trouble ----

script eve <<'END'
require ["vnd.dovecot.execute", "vnd.dovecot.pipe"];
if execute "hang" { discard; }
END
like "$(send eve)" "250 2.0.0 <eve> * Saved" "a program that hangs loses nothing"
like "$(cat "$log")" "*hang did not end in time*" "and is told"
ok "it is gone" sh -c '! kill -0 "$(cat "$1")" 2>/dev/null' - "$home/hangs"

script carl <<'END'
require "vnd.dovecot.pipe";
pipe "kill_runner";
END
like "$(send carl)" "250 2.0.0 <carl> * Saved" "a runner that dies loses nothing"
is "$(mails carl)" 1 "the mail is kept"
like "$(cat "$log")" \
	"*failed to pipe message to program 'kill_runner': the runner has died*" \
	"and the log tells why"
like "$(send amy)" "250 2.0.0 <amy> * Saved" "the next message has a runner again"
is "$(grep -l '^X-Parent:' "$home"/amy/new/* | wc -l)" 3 "which runs programs"

script dan <<'END'
require "vnd.dovecot.pipe";
pipe "no_such_program";
END
like "$(send dan bob)" "250 2.0.0 <dan> * Saved
250 2.0.0 <bob> *" "who asks for a program that is not there is one of several"
is "$(mails dan)" 1 "and keeps the mail"
last=$(runners)
exits 0 "the server ends" stop
for pid in $last; do
	ok "and its runner with it" soon sh -c '! kill -0 "$1" 2>/dev/null' \
		- "$pid"
done
done_testing
