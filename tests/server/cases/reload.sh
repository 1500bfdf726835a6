# A reload under load: no connection is refused, no session is cut.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

reload_conf() {
	server_conf reload <<END
mail_home = $TEST_WORK/home/vmail/$1/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
login_greeting = This is $1.
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2402
  }
  unix_listener lmtp {
    mode = 0666
  }
}
END
}
reload_conf first
server_start reload
cat >"$TEST_WORK/long.py" <<'END'
import sys, time
sys.path.insert(0, sys.argv[1])
import lmtp
client = lmtp.Client(sys.argv[2])
client.begin("ada@client.example", ["long"])
print("begun", flush=True)
sys.stdin.readline()
client.say("DATA", "354")
client.write(lmtp.mail("long") + b".\r\n")
print(client.reply()[-1], flush=True)
client.quit()
END
mkfifo "$TEST_WORK/go"
python3 "$TEST_WORK/long.py" "$TEST_SOURCE/tests/lib" 127.0.0.1:2402 \
	<"$TEST_WORK/go" >"$TEST_WORK/long.out" 2>&1 &
long_pid=$!
exec 9>"$TEST_WORK/go"
wait_for 10 grep -q begun "$TEST_WORK/long.out"
python connect 127.0.0.1:2402 4 >"$TEST_WORK/connect.out" 2>&1 &
connect_pid=$!
reload_conf second
ok "doorstep reload says when it is done" \
	"$doorstep" -c "$TEST_WORK/reload.conf" reload
is "$(python deliver 127.0.0.1:2402 new)" "new 250" "the server goes on"
ok "by the new configuration" test -d "$TEST_WORK/home/vmail/second/new"
echo go >&9
exec 9>&-
wait $long_pid
like "$(cat "$TEST_WORK/long.out")" "*250 2.0.0 <long> * Saved*" \
	"a transaction that had begun before ends well"
ok "by the configuration it began with" \
	test -d "$TEST_WORK/home/vmail/first/long"
for _ in 1 2 3 4 5; do
	"$doorstep" -c "$TEST_WORK/reload.conf" reload >/dev/null 2>&1
done
wait $connect_pid
like "$(cat "$TEST_WORK/connect.out")" "*0 failed*" \
	"no connection was refused while it reloaded: $(cat "$TEST_WORK/connect.out")"
echo "no_such_setting = 1" >>"$TEST_WORK/reload.conf"
kill -HUP "$server_pid"
ok "a wrong configuration is told in the log" wait_for 5 \
	grep -q no_such_setting "$TEST_WORK/log/reload.log"
is "$(python deliver 127.0.0.1:2402 still)" "still 250" \
	"and the server goes on with the one it has"
is "$(server_processes front | wc -l)" 1 "old fronts have ended"

# ---- what a reload cannot do

reload_conf fixed
{
	echo "state_dir = $TEST_WORK/elsewhere"
	echo "default_login_user = amy"
	echo "log_path = $TEST_WORK/no/such/folder"
} >>"$TEST_WORK/reload.conf"
ok "settings that need a restart do not keep a reload from working" \
	"$doorstep" -c "$TEST_WORK/reload.conf" reload
is "$(grep -o '[a-z_]* has changed: that needs a restart' \
	"$TEST_WORK/log/reload.log")" \
	"state_dir has changed: that needs a restart
default_login_user has changed: that needs a restart" "the log warns of them"
is "$(grep -c "cannot open the log .*no/such/folder" \
	"$TEST_WORK/log/reload.log")" 1 \
	"a log that cannot be opened is told in the old one"

# ---- many reloads, and a session that stays in each generation

reload_conf third
cat >"$TEST_WORK/many.py" <<'END'
import select, socket, subprocess, sys
def reload():
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
clients = []
for _ in range(10):
    client = socket.create_connection(("127.0.0.1", 2402))
    client.recv(4096)
    clients.append(client)
    reload()
for client in clients[:2]:
    client.settimeout(20)
    print(client.recv(4096)[:3].decode())
print(len(select.select(clients[2:], [], [], 0)[0]), "others have ended",
      flush=True)
sys.stdin.readline()
END
mkfifo "$TEST_WORK/enough"
python3 "$TEST_WORK/many.py" "$doorstep" -c "$TEST_WORK/reload.conf" reload \
	<"$TEST_WORK/enough" >"$TEST_WORK/many.out" 2>&1 &
many_pid=$!
exec 9>"$TEST_WORK/enough"
ok "ten reloads are done" wait_for 60 grep -q ended "$TEST_WORK/many.out"
is "$(cat "$TEST_WORK/many.out")" "421
421
0 others have ended" "of ten old generations the two oldest end their sessions"
reload_has_fronts() {
	[ "$(server_processes front | wc -l)" -eq "$1" ]
}
ok "eight old generations stay beside the new one" \
	wait_for 10 reload_has_fronts 9
exec 9>&-
wait $many_pid
server_stop
is $? 0 "it ends with status 0"
