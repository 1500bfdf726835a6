#!/bin/sh
# A farm: three backends, two of ours and a Dovecot, behind a proxy, while they are
# stopped, cut off, slowed and started again.  Every message is at its recipients'
# home once, and who lives elsewhere does not notice.  And our server behind Dovecot's
# own proxy.
#
#	tests/e2e/farm.sh               a short round, some 25 seconds
#	ROUNDS=full tests/e2e/farm.sh   1,000 users, 20,000 messages; some minutes
#
# Prints TAP and ends by itself.  Needs root (tests/lib/machine.sh), Dovecot with its
# LMTP server.  What is cut off is stopped: nobody resets its connections.
#
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2016 # by eval; awk's
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lib/server.sh"

for program in python3 dovecot doveadm setpriv; do
	command -v $program >/dev/null || skip_all "no $program here"
done
[ -e /usr/lib/dovecot/lmtp ] || skip_all "no LMTP server of Dovecot's here"

users=60 messages=900 pause=1
if [ "${ROUNDS:-}" = full ]; then
	users=1000 messages=20000 pause=6
fi
machine_begin
machine_user doorstep 61080
machine_user doorstepd 61081
machine_user doorstepm 61082
machine_user vmail 61090
install -d -m 1777 "$TEST_WORK/log"
farm=$TEST_WORK/farm
install -d "$farm"
port=2424

python_farm() {
	python3 "$TEST_SOURCE/tests/e2e/farm.py" "$@"
}

# ours NUMBER: a Doorstep on 127.0.0.NUMBER.
ours() {
	install -d -o vmail -g vmail "$farm/back$1"
	server_conf "back$1" <<END
mail_location = maildir:~/Maildir
login_trusted_networks = 127.0.0.0/8
lmtp_allowed_networks = 127.0.0.0/8
userdb {
  driver = static
  args = allow_all_users=yes uid=vmail gid=vmail home=$farm/back$1/%n
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    address = 127.0.0.$1
    port = $port
  }
}
END
	server_start "back$1"
	eval "pid_$1=\$server_pid"
}

# dovecot_conf NAME <LINES
dovecot_conf() {
	mkdir -p "$TEST_WORK/run-$1"
	{
		cat <<END
base_dir = $TEST_WORK/run-$1
log_path = $TEST_WORK/log/$1.log
instance_name = $1
protocols = lmtp
ssl = no
hostname = $1.example.test
postmaster_address = postmaster@example.test
login_trusted_networks = 127.0.0.0/8
mail_location = maildir:~/Maildir
END
		cat
	} >"$TEST_WORK/$1.conf"
}
dovecot_start() {
	dovecot -c "$TEST_WORK/$1.conf" >"$TEST_WORK/log/$1-start" 2>&1 &&
		at_end "doveadm -c $TEST_WORK/$1.conf stop 2>/dev/null"
}
mount -t tmpfs -o mode=755 tmpfs /var/lib/dovecot ||
	bail_out "cannot mount /var/lib/dovecot"
at_end "umount -l /var/lib/dovecot"

ours 11
ours 12
install -d -o vmail -g vmail "$farm/back13"
dovecot_conf back13 <<END
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=$farm/back13/%n allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.13
    port = $port
  }
}
END
dovecot_start back13 || bail_out "Dovecot does not start"

server_conf proxy <<END
lmtp_proxy = yes
lmtp_proxy_timeout = 5 secs
userdb {
  driver = static
  args = allow_all_users=yes proxy=y host=farm
}
proxy_group farm {
  health_interval = 2 secs
  health_timeout = 1 secs
  health_rises = 1
  backend 127.0.0.11:$port {
  }
  backend 127.0.0.12:$port {
  }
  backend 127.0.0.13:$port {
  }
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
END
server_start proxy
pid_proxy=$server_pid
socket=$TEST_WORK/run-proxy/lmtp

is "$(python_farm send "$socket" $users)" "" "every user gets a mail"
is "$(find "$farm" -path '*/new/*' -type f | wc -l)" "$users" "one each"
is "$(find "$farm" -path '*/new/*' -type f | sed "s|^$farm/||; s|/.*||" |
	sort -u | tr '\n' ' ')" "back11 back12 back13 " \
	"each backend is the home of some"

# ---- while backends are disturbed ----
# sick [BACKEND]...: whose users may notice from now on.
sick() {
	echo "$*" >"$farm/sick.new"
	mv "$farm/sick.new" "$farm/sick"
}
# is_state NUMBER STATE
# shellcheck disable=SC2317 # called by wait_for
is_state() {
	"$doorstep" -c "$TEST_WORK/proxy.conf" proxy status |
		grep -q "127.0.0.$1:$port *$2 "
}
# processes NUMBER: of that backend, master first.
processes() {
	eval "backend_pid=\$pid_$1"
	echo "$backend_pid"
	pgrep -P "$backend_pid"
}
sick
python_farm load "$socket" $users $messages "$farm" \
	>"$TEST_WORK/load" 2>&1 &
load_pid=$!
sleep $pause

diag "backend 11 is stopped and started again"
sick back11
kill "$pid_11"
wait "$pid_11"
sleep $pause
server_start back11
pid_11=$server_pid
ok "it is up again" wait_for 30 is_state 11 up

diag "backend 12 is cut off: nothing there moves"
sick back11 back12
processes 12 >"$TEST_WORK/processes"
xargs kill -STOP <"$TEST_WORK/processes"
sleep $((pause * 3))
xargs kill -CONT <"$TEST_WORK/processes"
ok "it is up again" wait_for 30 is_state 12 up

diag "backend 11 is slow: it moves for moments only"
sick back11 back12
processes 11 >"$TEST_WORK/processes"
slow=0
while [ $slow -lt $((pause * 5)) ]; do
	xargs kill -STOP <"$TEST_WORK/processes" 2>/dev/null
	sleep 0.3
	xargs kill -CONT <"$TEST_WORK/processes" 2>/dev/null
	sleep 0.05
	slow=$((slow + 1))
done
ok "it is up again" wait_for 30 is_state 11 up

diag "backend 13, the Dovecot, is started again"
sick back11 back12 back13
doveadm -c "$TEST_WORK/back13.conf" stop
wait_for 10 test ! -e "$TEST_WORK/run-back13/master.pid"
dovecot_start back13 || fail "Dovecot starts again"
ok "it is up again" wait_for 30 is_state 13 up

wait $load_pid
load_status=$?
diag "$(cat "$TEST_WORK/load")"
is $load_status 0 "all mail is sent"
is "$(grep -v '^longest\|^#' "$TEST_WORK/load")" "" \
	"each reply is a success or asks to come again"
ok "users of other backends never wait as long as a time-out" awk \
	'/^longest/ { if ($2 >= 5) exit 1 }' "$TEST_WORK/load"
# Dovecot forgets what it has delivered when its reply was lost.
is "$(python_farm check $users $messages "$farm" back13 | tail -n 3 |
	sed 's/^[0-9]* //')" 0 "every message is at its place, once"

server_pid=$pid_proxy
exits 0 "the proxy stops" server_stop
is "$(server_deaths proxy)" "" "none of its processes has died"

# ---- as samples/farm says ----
echo "sam@example.org:::::::" >"$TEST_WORK/users"
for sample in proxy backend; do
	exits 0 "samples/farm/$sample.conf is good" "$doorstep" \
		-c "$TEST_SOURCE/samples/farm/$sample.conf" config check
	sed "/^hostname/d; s|10\\.0\\.0\\.|127.0.1.|g; s|/etc/doorstep/users|$TEST_WORK/users|
		s|/srv/mail|$farm/sample|
		s|^lmtp_allowed_networks.*|lmtp_allowed_networks = 127.0.0.0/8|" \
		"$TEST_SOURCE/samples/farm/$sample.conf" |
		server_conf "sample-$sample"
done
install -d -o vmail -g vmail "$farm/sample"
server_start sample-proxy
sample_pid=$server_pid
# One machine is all three hosts.
sed -i 's|address = 127.0.1.11|& 127.0.1.12 127.0.1.13|' \
	"$TEST_WORK/sample-backend.conf"
server_start sample-backend
python3 - "$TEST_SOURCE/tests/lib" 127.0.1.2:24 >"$TEST_WORK/sample" 2>&1 <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
for reply in client.send_message("ada@client.example", ["sam@example.org"],
                                 lmtp.mail("by-sample")):
    print(reply[-1][:9])
print(client.say("MAIL FROM:<>")[-1][:3])
print(client.say("RCPT TO:<nobody@example.org>")[-1][:9])
client.quit()
END
is "$(cat "$TEST_WORK/sample")" "250 2.0.0
250
550 5.1.1" "the samples pass mail on and refuse who is nobody"
is "$(find "$farm/sample" -path '*/sam/Maildir/new/*' | wc -l)" 1 "and file it"
exits 0 "the backend stops" server_stop
server_pid=$sample_pid
exits 0 "and the proxy" server_stop

# ---- behind Dovecot's proxy ----
dovecot_conf director <<END
lmtp_proxy = yes
passdb {
  driver = static
  args = nopassword=y proxy=y host=127.0.0.11 port=$port
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/nonexistent allow_all_users=yes
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
END
dovecot_start director || bail_out "Dovecot does not start"
wait_for 20 test -S "$TEST_WORK/run-director/lmtp"
python3 - "$TEST_SOURCE/tests/lib" "$TEST_WORK/run-director/lmtp" \
	>"$TEST_WORK/director" 2>&1 <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
for reply in client.send_message("ada@client.example", ["dora", "dave"],
                                 lmtp.mail("by-dovecot")):
    print(reply[-1][:9])
client.quit()
END
is "$(cat "$TEST_WORK/director")" "250 2.0.0
250 2.0.0" "Dovecot's proxy passes mail on to us"
like "$(cat "$farm"/back11/dora/Maildir/new/*)" \
	"*Received: from client.example*by-dovecot*" \
	"XCLIENT told us who its client is"

server_pid=$pid_11
exits 0 "a backend stops" server_stop
server_pid=$pid_12
exits 0 "and the other one" server_stop
# One that was stopped is replaced.
is "$(server_deaths back12 | grep -v ' did not answer ')" "" \
	"none of its processes has died"
done_testing
