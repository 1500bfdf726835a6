# What each process may still do, as the kernel says.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

# fact_of KIND NAME: that line of /proc/PID/status, once for all its processes.
fact_of() {
	for fact_pid in $(server_processes "$1"); do
		sed -n "s/^$2:[[:space:]]*//p" "/proc/$fact_pid/status" |
			tr '\t' ' ' | sed 's/ *$//'
	done | sort -u
}

# confined KIND UID: every line that counts.
confined() {
	is "$(fact_of "$1" Uid)" "$2 $2 $2 $2" "$1: the uid is $2 in every way"
	is "$(for confined_set in Inh Prm Eff Bnd Amb; do
		fact_of "$1" "Cap$confined_set"
	done | sort -u)" "${3:-0000000000000000}" "$1: no capability is left"
	is "$(fact_of "$1" NoNewPrivs)" 1 "$1: no new privileges"
	is "$(fact_of "$1" Seccomp)" 2 "$1: system calls are filtered"
}

# files_of KIND: what its descriptors are, without numbers.
files_of() {
	for files_pid in $(server_processes "$1"); do
		for files_fd in "/proc/$files_pid/fd"/*; do
			readlink "$files_fd"
		done
	done | sed 's/:\[[0-9]*\]$//; s/ (deleted)$//' | sort -u
}

# words_of KIND: what `doorstep status` says of it.
words_of() {
	"$doorstep" -c "$TEST_WORK/$server_name.conf" status |
		sed -n "s/^$1 .*:[0-9][0-9]  //p" | sort -u
}

server_name=confined
server_conf confined <<END
mail_location = maildir:~/Maildir
mail_temp_dir = $TEST_WORK/spool-confined
lmtp_memory_limit = 1M
sandbox = required
userdb {
  driver = passwd
}
END
install -d -o doorstep "$TEST_WORK/spool-confined"
server_start confined
is "$(SIZE=300000 python deliver "$TEST_WORK/run-confined/lmtp" amy bob)" \
	"amy 250
bob 250" "a confined server delivers"

is "$(SIZE=5000000 python deliver "$TEST_WORK/run-confined/lmtp" amy)" \
	"amy 250" "also what is too long for memory and goes to mail_temp_dir"
confined front 61080
confined lookup 61081
confined state 61081
is "$(fact_of front Groups)" "" "front: no groups"
is "$(for kind in front lookup state worker; do
	fact_of $kind Groups
done | tr ' ' '\n' | grep -cx 0)" 0 "nobody is in root's group"
is "$(fact_of worker Uid)" "61091 61091 61091 61091
61092 61092 61092 61092" "worker: each is its user"
is "$(for set in Inh Prm Eff Bnd Amb; do fact_of worker Cap$set; done |
	sort -u)" 0000000000000000 "worker: no capability is left"
is "$(fact_of worker NoNewPrivs) $(fact_of worker Seccomp)" "1 2" \
	"worker: no new privileges, and system calls are filtered"

is "$(readlink "/proc/$(server_processes front)/root")" \
	"$TEST_WORK/run-confined/empty" "front: its root is another folder"
is "$(find "$TEST_WORK/run-confined/empty" | wc -l)" 1 "which is empty"
is "$(stat -c '%u %a' "$TEST_WORK/run-confined/empty")" "0 555" \
	"and which only root may write"
is "$(files_of front)" "/dev/null
$TEST_WORK/log/confined-out
$TEST_WORK/log/confined.log
$TEST_WORK/spool-confined
anon_inode:[eventfd]
anon_inode:[eventpoll]
socket" "front: its files are sockets, the log and the spool folder"
is "$(files_of lookup)" "/dev/null
$TEST_WORK/log/confined-out
$TEST_WORK/log/confined.log
pipe
socket" "lookup: its files are a socket, the log and a pipe of its own"
is "$(files_of state | grep -v "^$TEST_WORK/state-confined/env/")" "/dev/null
$TEST_WORK/log/confined-out
$TEST_WORK/log/confined.log
anon_inode:[eventpoll]
socket" "state: its files are its data base, sockets and the log"
is "$(files_of worker)" "/dev/null
$TEST_WORK/log/confined-out
$TEST_WORK/log/confined.log
socket" "worker: its files are sockets and the log"

# CAP_CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, SETPCAP 8,
# NET_BIND_SERVICE 10, SYS_CHROOT 18, SYS_RESOURCE 24.
# A container's root may have fewer.
is "$(sed -n 's/^Cap\(Prm\|Eff\):[[:space:]]*//p' "/proc/$server_pid/status" |
	sort -u)" "$(printf %016x $((0x10405eb & \
	0x$(sed -n 's/^CapPrm:[[:space:]]*//p' /proc/$$/status))))" \
	"master: ten capabilities are left at most"

like "$(words_of front)" \
	"*empty root*no capabilities*no new privileges*Landlock*seccomp*" \
	"doorstep status says what confines the front"
like "$(words_of lookup)" "*no new privileges*Landlock*seccomp*" "and lookup"
like "$(words_of state)" "*no new privileges*Landlock*seccomp*" "and state"
like "$(words_of worker)" "*no new privileges*Landlock*seccomp*" "and workers"

setpriv --reuid=doorstep --regid=doorstep --clear-groups \
	cat "/proc/$(server_processes front)/mem" >/dev/null 2>"$TEST_WORK/mem"
like "$(cat "$TEST_WORK/mem")" "*ermission denied*" \
	"another process of the front's uid cannot look into its memory"
is "$(server_errors confined)" "" "and nothing was refused on the way"
server_stop
is $? 0 "the server ends as it should"

server_name=confined-user
server_conf confined-user <<END
mail_home = $TEST_WORK/home/vmail/confined/%u
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END
server_start confined-user vmail
is "$(SIZE=300000 python deliver "$TEST_WORK/run-confined-user/lmtp" one)" \
	"one 250" "started as a user it delivers as well"
for kind in front lookup state worker; do
	is "$(fact_of $kind Seccomp) $(fact_of $kind NoNewPrivs)" "2 1" \
		"as a user $kind is filtered, without new privileges"
	like "$(words_of $kind)" "*Landlock*seccomp*" \
		"and has Landlock for its files"
done
server_stop
is $? 0 "and it ends as it should"

# The other kinds: what answers Postfix, what hands over mail, what speaks with other
# hosts, what runs programs.
mkdir -p "$TEST_WORK/relay-confined" "$TEST_WORK/programs-confined"
python3 "$TEST_SOURCE/tests/lib/relay.py" "$TEST_WORK/relay-confined" &
confined_relay=$!
at_end "kill $confined_relay 2>/dev/null"
wait_for 10 test -s "$TEST_WORK/relay-confined/port"
cat >"$TEST_WORK/programs-confined/tell" <<'END'
#!/bin/sh
grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr '\t' ' ' |
	sed 's/^/X-/'
worker=$(pgrep -u "$(id -u)" -f -- --child=worker | head -n 1)
if kill -0 "$worker" 2>/dev/null; then
	echo "X-Signal: reaches the worker"
else
	echo "X-Signal: reaches nobody"
fi
cat
END
chmod 755 "$TEST_WORK/programs-confined/tell"
cat >"$TEST_WORK/confined.sieve" <<'END'
require ["vnd.dovecot.filter", "copy"];
filter "tell";
redirect :copy "bob@elsewhere.example";
END
chmod 644 "$TEST_WORK/confined.sieve"
echo "far:::::::proxy=y host=127.0.0.1 protocol=smtp" \
	"port=$(cat "$TEST_WORK/relay-confined/port")" >"$TEST_WORK/users-confined"
server_name=confined-more
server_conf confined-more <<END
mail_location = maildir:~/Maildir
sandbox = required
lmtp_proxy = yes
ssl_client_ca_dir = $TEST_WORK/programs-confined
sieve_default = $TEST_WORK/confined.sieve
sieve_filter_bin_dir = $TEST_WORK/programs-confined
sieve_filter_input_eol = lf
submission_host = localhost:$(cat "$TEST_WORK/relay-confined/port")
quota = maildir:User quota
userdb {
  driver = passwd-file
  args = $TEST_WORK/users-confined
}
userdb {
  driver = passwd
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
service quota-status {
  executable = quota-status -p postfix
  unix_listener quota-status {
    mode = 0666
  }
}
END
# confined_tells: what the program has said in the last message.
confined_tells() {
	confined_home=$(getent passwd amy | cut -d: -f6)
	# shellcheck disable=SC2012 # names are the server's own
	sed -n '/^$/q; s/^X-//p' "$(grep -ls '^X-NoNewPrivs' \
		"$confined_home"/Maildir/new/* | xargs ls -t | head -n 1)"
}
server_start confined-more
is "$(python deliver "$TEST_WORK/run-confined-more/lmtp" amy)" "amy 250" \
	"mail goes through a program and to a relay"
ok "the relay has it" wait_for 10 test -s "$TEST_WORK/relay-confined/1"
is "$(python3 "$TEST_SOURCE/tests/lmtpd/policy.py" \
	"$TEST_WORK/run-confined-more/quota-status" ask \
	request=smtpd_access_policy protocol_state=RCPT \
	sender=ada@client.example recipient=amy size=10)" "action=DUNNO" \
	"Postfix is answered"
is "$(python deliver "$TEST_WORK/run-confined-more/lmtp" far)" "far 250" \
	"so it does to a host where a recipient lives"
confined policy 61080
confined proxy 61080
confined mailer 61082
is "$(readlink "/proc/$(server_processes policy)/root")" \
	"$TEST_WORK/run-confined-more/empty" "policy: its root is another folder"
is "$(files_of policy)" "/dev/null
$TEST_WORK/log/confined-more-out
$TEST_WORK/log/confined-more.log
anon_inode:[eventpoll]
socket" "policy: its files are sockets and the log"
is "$(fact_of proxy Groups)" "" "proxy: no groups"
is "$(files_of proxy)" "/dev/null
$TEST_WORK/log/confined-more-out
$TEST_WORK/log/confined-more.log
anon_inode:[eventpoll]
socket" "proxy: so are those of what speaks with other hosts"
is "$(files_of mailer)" "/dev/null
$TEST_WORK/log/confined-more-out
$TEST_WORK/log/confined-more.log
anon_inode:[eventpoll]
socket" "mailer: so are a mailer's"
like "$(words_of policy)" \
	"*empty root*no capabilities*no new privileges*Landlock*seccomp*" \
	"doorstep status says what confines what answers Postfix"
like "$(words_of proxy)" "*no capabilities*no new privileges*Landlock*seccomp*" \
	"and what speaks with other hosts"
like "$(words_of mailer)" "*no capabilities*no new privileges*Landlock*seccomp*" \
	"and a mailer that speaks SMTP"
is "$(for set in Inh Prm Eff Amb; do fact_of runner Cap$set; done |
	sort -u)" 0000000000000000 "runner: no capability is left"
is "$(fact_of runner NoNewPrivs) $(fact_of runner Seccomp)" "0 0" \
	"runner: programs may be setgid"
is "$(words_of runner)" "no capabilities" "and doorstep status says so"
is "$(confined_tells)" "NoNewPrivs: 0
Seccomp: 0
Signal: reaches the worker" "a program may do what its user may"
setpriv --reuid=amy --regid=amy --clear-groups \
	cat "/proc/$(server_processes runner)/mem" >/dev/null 2>"$TEST_WORK/mem"
like "$(cat "$TEST_WORK/mem")" "*ermission denied*" \
	"but another process of its user cannot look into the runner's memory"
is "$(server_errors confined-more)" "" "and nothing was refused on the way"
server_stop
is $? 0 "the server ends as it should"
sed -i 's/^submission_host.*/sieve_program_sandbox = yes/' \
	"$TEST_WORK/confined-more.conf"
sed -i '/redirect/d' "$TEST_WORK/confined.sieve"
rm -rf "$(getent passwd amy | cut -d: -f6)/Maildir"
server_start confined-more
is "$(python deliver "$TEST_WORK/run-confined-more/lmtp" amy)" "amy 250" \
	"with sieve_program_sandbox a program works"
is "$(fact_of runner CapBnd)" 0000000000000000 \
	"nor can a file give one back"
like "$(words_of runner)" "no capabilities*no new privileges*Landlock*seccomp" \
	"doorstep status says what binds it"
is "$(confined_tells)" "NoNewPrivs: 1
Seccomp: 2
Signal: reaches nobody" "and it sees that itself"
is "$(for set in Inh Prm Eff Amb; do fact_of mailer Cap$set; done |
	sort -u)" 0000000000000000 "a mailer that executes sendmail has no capability"
is "$(fact_of mailer NoNewPrivs) $(words_of mailer)" "0 no capabilities" \
	"and may execute setgid programs"
is "$(server_errors confined-more)" "" "and nothing was refused on the way"
server_stop
is $? 0 "the server ends as it should"
kill $confined_relay

# A kernel that refuses: seccomp itself plays it.
cat >"$TEST_WORK/bin/without" <<'END'
import ctypes, os, struct, sys

# without.py CALL PROGRAM...: that system call fails with ENOSYS.
number = int(sys.argv[1])
code = [
    (0x20, 0, 0, 0),            # load the number of the call
    (0x15, 0, 1, number),
    (0x06, 0, 0, 0x00050026),   # ENOSYS
    (0x06, 0, 0, 0x7FFF0000),   # allow
]
text = b"".join(struct.pack("HBBI", *one) for one in code)
program = ctypes.create_string_buffer(text)
pointer = struct.pack("HxxxxxxP", len(code), ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() != 0 and libc.prctl(38, 1, 0, 0, 0) != 0:
    sys.exit("prctl")
if libc.prctl(22, 2, ctypes.create_string_buffer(pointer)) != 0:
    sys.exit("seccomp: %d" % ctypes.get_errno())
os.execvp(sys.argv[2], sys.argv[2:])
END
landlock=444 # landlock_create_ruleset, the same everywhere
server_conf lacking <<END
mail_location = maildir:~/Maildir
userdb {
  driver = passwd
}
END
timeout 20 python3 "$TEST_WORK/bin/without" $landlock "$lmtpd" -F \
	-c "$TEST_WORK/lacking.conf" >"$TEST_WORK/log/lacking-out" 2>&1
is $? 78 "where the kernel has no Landlock the server does not start"
like "$(cat "$TEST_WORK/log/lacking-out")" \
	"*sandbox = required*Landlock*Linux 5.19*sandbox = optional*" \
	"and says what is missing, and what can be done"
echo "sandbox = optional" >>"$TEST_WORK/lacking.conf"
cat >"$TEST_WORK/bin/lacking-lmtpd" <<END
#!/bin/sh
exec python3 "$TEST_WORK/bin/without" $landlock "$lmtpd" "\$@"
END
chmod 755 "$TEST_WORK/bin/lacking-lmtpd"
lmtpd_before=$lmtpd
lmtpd=$TEST_WORK/bin/lacking-lmtpd
server_name=lacking
server_start lacking
is "$(python deliver "$TEST_WORK/run-lacking/lmtp" amy)" "amy 250" \
	"with sandbox = optional it delivers"
like "$(cat "$TEST_WORK/log/lacking.log")" \
	"*Warning: sandbox = optional: the kernel refuses Landlock*" \
	"the log says what is missing"
like "$(words_of front)" "*empty root*seccomp*" \
	"and the front has the rest of its sandbox"
unlike "$(words_of front)" "*Landlock*" "but for what is missing"
server_stop
is $? 0 "that server ends as it should, too"
lmtpd=$lmtpd_before
