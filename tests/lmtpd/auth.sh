#!/bin/sh
# AUTH PLAIN: whose password is right, what a hash costs others, and what a wrong
# one costs who tries.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

slow=$(printf '%086d' 0)
cat >users <<END
amy:{SSHA256}aBnGGqzvNrJV8PdW0IpluFlKJhNWlKADyiLA2a3KTAy7YDg1:$lmtpd_uid:$lmtpd_uid::$home::
bob:\$6\$BpH1QbHU9fBtSPtJ\$Wi1wcJJ64qHeSSjbQPAVoxmlq6IJn3s3nzp3pOmBpllqv3XMlr6em0DzPjZA2u5m8YQ7l70LnQbwLOizkr69w/:$lmtpd_uid:$lmtpd_uid::$home::user=robert
eve:{ROT13}frperg:$lmtpd_uid:$lmtpd_uid::$home::
nell::$lmtpd_uid:$lmtpd_uid::$home::
slow:{SHA512-CRYPT}\$6\$rounds=1500000\$saltsalt\$$slow:$lmtpd_uid:$lmtpd_uid::$home::
END
cat >"$conf" <<END
hostname = mx.example.test
base_dir = $base
state_dir = $home/state
log_path = $log
mail_location = maildir:~/Maildir
lmtp_auth_plain = yes
auth_failure_delay = 0
userdb {
  driver = passwd-file
  args = $TEST_WORK/users
}
END
# login NAME PASSWORD: the reply; "Saved" and a message behind it when it is right.
login() {
	python3 - "$TEST_SOURCE" "$base/lmtp" "$@" <<'END'
import base64, sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
client = lmtp.Client(sys.argv[2])
plain = base64.b64encode(b"\0%s\0%s" % (sys.argv[3].encode(), sys.argv[4].encode()))
reply = client.say("AUTH PLAIN " + plain.decode())[-1]
if reply.startswith("235"):
    client.send_message("ada@client.example", ["amy"], b"Subject: x\r\n\r\nx\r\n")
client.quit()
print(reply)
END
}
logged() {
	grep -q -e "$1" "$log"
}
newest() {
	# shellcheck disable=SC2012 # names are the server's own
	cat "$home/Maildir/new/$(ls -t "$home/Maildir/new" | head -n 1)"
}

# Three hashes one behind the other may take long here.
ok "the server starts" start -o lookup_timeout=60s
is "$(login amy secret)" "235 2.7.0 Authentication successful" \
	"a right password logs in"
like "$(newest)" "*with LMTPA*" "Received says so"
ok "the log names the user" logged '>: logged in as amy from local'
is "$(login AMY secret)" "235 2.7.0 Authentication successful" \
	"auth_username_format counts"
is "$(login bob secret)" "235 2.7.0 Authentication successful" \
	"a hash without a scheme is one of crypt(3)"
ok "a login has the name of the record" logged '>: logged in as robert '
for wrong in "amy Secret" "eva secret" "nell x" "../amy secret"; do
	# shellcheck disable=SC2086 # two words
	is "$(login $wrong)" "535 5.7.8 Authentication credentials invalid" \
		"'$wrong' does not"
done
ok "the log tells of it" logged '>: login failed from local'
is "$(login eve secret)" "454 4.7.0 Temporary authentication failure" \
	"a scheme that nobody knows is trouble"
ok "which the log names" logged 'eve: password: a scheme that is not known'
ok "no password is in the log" sh -c "! grep -q -i 'secret\|frperg' '$log'"
is "$(sed -i 's/^amy:[^:]*:/amy:{PLAIN}changed:/' users && login amy changed)" \
	"235 2.7.0 Authentication successful" "a new password counts at once"

# ---- hashes are slow ----

python3 - "$TEST_SOURCE" "$base/lmtp" >order 2>&1 <<'END'
import base64, select, sys
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
plain = base64.b64encode(b"\0slow\0secret").decode()
waiting = [lmtp.Client(sys.argv[2]) for _ in range(3)]
for client in waiting:
    client.write(b"AUTH PLAIN " + plain.encode() + b"\r\n")
other = lmtp.Client(sys.argv[2])
print(other.send_message("ada@client.example", ["amy"], b"Subject: x\r\n\r\nx\r\n")
      [0][-1][:3])
ready = select.select([client.socket for client in waiting], [], [], 0)[0]
print("%s are answered" % ("all" if len(ready) == 3 else "not all"))
for client in waiting:
    print(client.reply()[-1][:3])
waiting = [lmtp.Client(sys.argv[2]) for _ in range(60)]
for client in waiting:
    client.write(b"AUTH PLAIN " + plain.encode() + b"\r\n")
refused = 0
while refused < 30:
    for socket in select.select([client.socket for client in waiting], [], [])[0]:
        client = next(client for client in waiting if client.socket is socket)
        refused += client.reply()[-1].startswith("454")
        waiting.remove(client)
print("%s at least still wait" % (20 if len(waiting) >= 20 else len(waiting)))
other = lmtp.Client(sys.argv[2])
plain = base64.b64encode(b"\0bob\0secret").decode()
print(other.say("AUTH PLAIN " + plain)[-1][:3],
      other.send_message("ada@client.example", ["amy"], b"Subject: x\r\n\r\nx\r\n")
      [0][-1][:3])
ready = select.select([client.socket for client in waiting], [], [], 0)[0]
print("%s are answered" % ("all" if len(ready) == len(waiting) else "not all"))
END
is "$(head -5 order | tr '\n' ' ')" "250 not all are answered 535 535 535 " \
	"mail goes on while a slow hash is checked"
is "$(sed -n 6p order)" "20 at least still wait" \
	"where many wait for one user others have to come again at once"
is "$(sed -n '7,8p' order | tr '\n' ' ')" "235 250 not all are answered " \
	"meanwhile another user logs in and sends mail"
ok "the server stops" stop

# ---- what it costs to guess ----

sed -i 's/^auth_failure_delay.*/auth_failure_delay = 1s/' "$conf"
ok "the server starts" start
is "$(python3 - "$TEST_SOURCE" "$base/lmtp" <<'END'
import base64, sys, time
sys.path.insert(0, sys.argv[1] + "/tests/lib")
import lmtp
client = lmtp.Client(sys.argv[2])
begin = time.monotonic()
for name in (b"amy", b"nobody", b"amy"):
    client.write(b"AUTH PLAIN " + base64.b64encode(b"\0%s\0x" % name) + b"\r\n")
print([client.reply()[0] for _ in range(4)][-1], time.monotonic() - begin > 2.5)
END
)" "421 4.7.0 Too many failed logins. True" \
	"each wrong password takes its time, the third ends the session"
sed -i 's/^lmtp_auth/lookup_timeout = 1s\nlmtp_auth/' "$conf"
ok "the server stops" stop
ok "and starts" start
kill -STOP "$(process lookup)"
is "$(login amy changed)" "454 4.7.0 Temporary authentication failure" \
	"who gets no answer from lookup comes again"
kill -CONT "$(process lookup)"
ok "the server stops" stop
done_testing
