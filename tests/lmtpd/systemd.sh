#!/bin/sh
# What a service manager passes and is told; logs that are rotated.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

# manager.py PROGRAM...: plays the manager: passes sockets and writes what it is
# told to "told", a line for each variable.
cat >manager.py <<'END'
import os, signal, socket, sys, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind("notify")
os.chmod("notify", 0o666)
folder = os.getcwd()
sockets = []
for name in os.environ.pop("PASS", "").split():
    kind, _, fd_name = name.partition(":")
    if kind == "unix":
        one = socket.socket(socket.AF_UNIX)
        one.bind(folder + "/passed")
        os.chmod(folder + "/passed", 0o666)
    elif kind == "unix-of-base":
        one = socket.socket(socket.AF_UNIX)
        one.bind(os.environ["BASE"] + "/lmtp")
        os.chmod(os.environ["BASE"] + "/lmtp", 0o666)
    elif kind == "datagram":
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        one.bind(folder + "/datagram")
    else:
        one = socket.socket(socket.AF_INET)
        one.bind(("127.0.0.1", 0))
        open("port", "w").write(str(one.getsockname()[1]))
    if kind != "datagram":
        one.listen(16)
    sockets.append((one, fd_name or "unknown"))
pid = os.fork()
if pid == 0:
    # Out of the way first: the manager's own are among 3, 4 ...
    high = [os.dup2(one.fileno(), 100 + i) for i, (one, _) in enumerate(sockets)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i)
        os.close(fd)
    if sockets:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(sockets))
        os.environ["LISTEN_FDNAMES"] = ":".join(name for _, name in sockets)
    os.environ["NOTIFY_SOCKET"] = folder + "/notify"
    os.environ["WATCHDOG_USEC"] = "200000"
    os.environ["WATCHDOG_PID"] = str(os.getpid())
    os.closerange(3 + len(sockets), 100)
    os.execvp(sys.argv[1], sys.argv[1:])
open("pid", "w").write(str(pid))
signal.signal(signal.SIGCHLD, lambda *_: None)
told = open("told", "a")
notify.settimeout(0.1)
while True:
    try:
        told.write(notify.recv(4096).decode() + "\n")
        told.flush()
        continue
    except socket.timeout:
        pass
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        sys.exit(os.waitstatus_to_exitcode(status))
END
# manage SOCKETS [OPTION...]: "unix:NAME inet"; $server is the server.
manage() {
	rm -f pid told notify passed "$base/status"
	: >told
	PASS=$1 BASE=$base export PASS BASE
	shift
	# shellcheck disable=SC2086 # none, or words
	python3 manager.py $as_user "$program" -F -c "$conf" "$@" >out 2>&1 &
	manager=$!
	unset PASS
	soon test -s pid
	server=$(cat pid)
	at_end "kill -9 $server $manager 2>/dev/null"
	soon has_told READY=1
}
has_told() {
	grep -q "^$1" told
}
leave() {
	kill -TERM "$server"
	wait "$manager"
}
# lmtp ADDRESS [PORT]: a message by this socket; prints the reply.
lmtp() {
	python3 - "$@" <<'END'
import smtplib, sys
client = smtplib.LMTP(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 0)
client.ehlo("client.example")
client.mail("ada@client.example")
client.rcpt("amy")
code, text = client.data(b"Subject: x\r\n\r\nA line.\r\n")
client.quit()
print(code, text.decode())
END
}

ok "it says when it is ready" manage ""
is "$(sed -n 's/^MAINPID=//p' told)" "$server" "and which process it is"
ok "it shows signs of life" soon has_told WATCHDOG=1
ok "with a status" soon has_told "STATUS=Generation 1: 0 connections"
like "$(send)" "250 *Saved" "mail is delivered"
ok "the status counts it" soon has_told "STATUS=Generation 1: .* 1 recipients"
is "$(tr '\0' '\n' <"/proc/$(process front)/environ" | grep -c NOTIFY)" 0 \
	"children do not know of the manager"
: >told
kill -HUP "$server"
ok "a reload ends with READY" soon has_told READY=1
is "$(sed -n '/^RELOADING=1/,/^READY=1/p' told | grep -cE '^(RELOADING=1|MONOTONIC_USEC=[0-9]+|READY=1)$')" \
	3 "and begins with RELOADING and the time"
sed -i 's/driver = static/driver = nonsense/' "$conf"
: >told
kill -HUP "$server"
ok "a reload that fails ends with READY, too" soon has_told READY=1
ok "and says so" soon has_told "STATUS=.*the last reload failed"
sed -i 's/driver = nonsense/driver = static/' "$conf"
exits 0 "it ends" leave
ok "and says so" has_told STOPPING=1

# Sockets that are there already.
as_user mkdir -p "$base"
rm -f "$base/lmtp"
ok "without a listener in the configuration it takes what is passed" \
	manage "unix inet"
like "$(lmtp "$TEST_WORK/passed")" "250 *Saved" "a Unix socket"
like "$(lmtp 127.0.0.1 "$(cat port)")" "250 *Saved" "a TCP port"
is "$([ -e "$base/lmtp" ] || echo none)" none "and opens none of its own"
kill -HUP "$server"
ok "a reload" soon grep -q '^generation=2$' "$base/status"
like "$(lmtp "$TEST_WORK/passed")" "250 *Saved" "keeps them"
exits 0 "it ends" leave
is "$([ -S passed ] && echo stays)" stays "the socket's file is not removed"

cat >>"$conf" <<END
service lmtp {
  unix_listener lmtp {
  }
  inet_listener strangers {
    address = 127.0.0.1
    port = 1
  }
}
END
ok "a listener takes the socket of its address, or of its name" \
	manage "unix-of-base inet:strangers"
like "$(send)" "250 *Saved" "by its address"
like "$(lmtp 127.0.0.1 "$(cat port)")" "250 *Saved" "by its name"
exits 0 "it ends" leave
is "$([ -S "$base/lmtp" ] && echo stays)" stays "that file stays as well"
rm -f "$base/lmtp"
sed -i '/inet_listener/,/^  }/d' "$conf"
: >"$log"
ok "a socket that nobody wants" manage "unix:other"
is "$(grep -c "Warning: the service manager has passed the socket $TEST_WORK/passed" "$log")" \
	1 "is told in the log"
exits 0 "it ends" leave
manage "datagram" >/dev/null 2>&1 &
starting=$!
soon test -s out
is "$(grep -c 'LISTEN_FDS: a socket is not a listening stream socket' out)" 1 \
	"what is no listening socket is refused"
kill $starting 2>/dev/null
wait $starting 2>/dev/null
# Variables that are meant for somebody else.
# shellcheck disable=SC2086
env LISTEN_PID=1 LISTEN_FDS=3 $as_user "$program" -F -c "$conf" >out 2>&1 &
server=$!
at_end "kill -9 $server 2>/dev/null"
ok "sockets for another process are nothing to us" soon has_state running

# SIGUSR1: files that were renamed are let go.
mv "$log" "$home/log.1"
kill -USR1 "$server"
ok "SIGUSR1 opens the log anew" soon test -e "$log"
like "$(send)" "250 *Saved" "mail is delivered"
ok "the front writes there" soon grep -q 'Connect from local' "$log"
ok "so does the worker" soon grep -q 'saved mail to INBOX' "$log"
is "$(sed -n 's/^generation=//p' "$base/status")" 1 "nothing is reloaded"
before=$(wc -c <"$home/log.1")
send >/dev/null
is "$(wc -c <"$home/log.1")" "$before" "the old file grows no more"
for kind in front lookup state worker; do
	kill -USR1 "$(process $kind)"
done
like "$(send)" "250 *Saved" "a signal to a child does no harm"
exits 0 "it ends" stop

# A log of LMTP's own.
cat >>"$conf" <<END
protocol lmtp {
  info_log_path = $home/lmtp.log
}
END
ok "it starts" start
like "$(send)" "250 *Saved" "mail is delivered"
is "$(grep -c 'saved mail to INBOX' "$home/lmtp.log")" 1 \
	"protocol lmtp { info_log_path } is its own file"
exits 0 "it ends" stop

# The samples.
units=$TEST_SOURCE/samples/systemd
if command -v systemd-analyze >/dev/null; then
	mkdir units
	cp "$units"/*.service "$units"/*.socket units
	sed -i "s|/usr/local/sbin/doorstep-lmtpd|$program|
		s|/usr/local/bin/doorstep|$TEST_BUILD/ctl/doorstep|" units/*.service
	is "$(systemd-analyze --man=no verify units/*.service units/*.socket 2>&1 |
		grep doorstep)" "" "systemd-analyze finds nothing wrong with the units"
	sed 's/^Watchdog/Watchdgo/' units/doorstep-lmtpd.service \
		>units/wrong.service
	like "$(systemd-analyze --man=no verify units/wrong.service 2>&1)" \
		"*Watchdgo*" "it would"
else
	skip "systemd-analyze finds nothing wrong with the units" "not there"
fi
if [ "$(id -u)" -eq 0 ] && command -v systemd-sysusers >/dev/null &&
	command -v systemd-tmpfiles >/dev/null; then
	mkdir -p root/etc
	systemd-sysusers --root="$TEST_WORK/root" \
		"$units/doorstep.sysusers.conf" >/dev/null 2>&1
	is "$(cut -d: -f1 root/etc/passwd | sort | tr '\n' ' ')" \
		"doorstep doorstepd doorstepm vmail " "sysusers makes the users"
	systemd-tmpfiles --root="$TEST_WORK/root" --create \
		"$units/doorstep.tmpfiles.conf" >/dev/null 2>&1
	is "$(cd root && find run var -type d -name '*[lp]' -printf '%p %m\n' | sort | tr '\n' ' ')" \
		"run/doorstep 755 var/lib/doorstep 755 var/lib/vmail 700 " \
		"tmpfiles makes the folders"
else
	skip "sysusers and tmpfiles make what they should" "not root, or not there"
fi
done_testing
