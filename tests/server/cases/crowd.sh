# Ten thousand connections, two hundred of them delivering; what an idle one costs.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=mx.example.test -keyout "$TEST_WORK/crowd.key" \
	-out "$TEST_WORK/crowd.pem" 2>/dev/null
crowd_port=$(FREE_PORT=1 python3 "$TEST_SOURCE/tests/lmtpd/tls.py")
server_conf crowd <<END
mail_home = $TEST_WORK/home/vmail/crowd/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
lmtp_max_connections = 10000
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener tls {
    address = 127.0.0.1
    port = $crowd_port
    ssl = yes
  }
}
ssl_cert = <$TEST_WORK/crowd.pem
ssl_key = <$TEST_WORK/crowd.key
END
server_start crowd
crowd_out=$(python crowd "$TEST_WORK/run-crowd/lmtp" 10000 "$server_pid" 200 2>&1)
diag "$crowd_out"
like "$crowd_out" "*10000 greeted*" "ten thousand clients are greeted"
is "$(echo "$crowd_out" | awk '/^bytes of an idle one/ { print ($NF > 0 && $NF < 8192) }')" 1 \
	"an idle one takes less than 8 KB"
like "$crowd_out" "*alone: 1000 delivered, 0 not*within: 1000 delivered, 0 not*" \
	"two hundred of them deliver, and none is refused"
like "$crowd_out" "*harm: little*" "in no other time than without the crowd"
like "$crowd_out" "*one more: 421 4.3.2*" "one more is told to come again"
server_stop
is $? 0 "the server ends as it should"
server_start crowd
# ROUNDS=full: ten thousand with TLS as well.
if [ "${ROUNDS:-}" = full ]; then
	crowd_count=10000 crowd_busy=200
else
	crowd_count=1000 crowd_busy=50
fi
crowd_out=$(python crowd "tls:127.0.0.1:$crowd_port" $crowd_count "$server_pid" \
	$crowd_busy 2>&1)
diag "$crowd_out"
like "$crowd_out" "*$crowd_count greeted*" "$crowd_count with TLS are, too"
is "$(echo "$crowd_out" | awk '/^bytes of an idle one/ { print ($NF > 0 && $NF < 40960) }')" 1 \
	"an idle one takes less than 40 KB"
like "$crowd_out" \
	"*alone: $((crowd_busy * 5)) delivered, 0 not*within: $((crowd_busy * 5)) delivered, 0 not*" \
	"$crowd_busy of them deliver, and none is refused"
like "$crowd_out" "*harm: little*" "in no other time than without the crowd"
server_stop
is $? 0 "and the server ends as it should"

# Recipients take memory, too.
sed -i 's/^lmtp_max_connections.*/lmtp_memory_limit = 8M/' "$TEST_WORK/crowd.conf"
server_start crowd
cat >"$TEST_WORK/greedy.py" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import lmtp
refused = 0
clients = []
rcpt = b"".join(b"RCPT TO:<amy+%s%d@%s>\r\n" % (b"d" * 200, n, b"e" * 60)
                for n in range(300))
for _ in range(100):
    client = lmtp.Client(sys.argv[2])
    client.write(b"MAIL FROM:<>\r\n" + rcpt)
    clients.append(client)
for client in clients:
    replies = [client.reply()[-1] for _ in range(301)]
    refused += any(reply.startswith("452 4.3.1") for reply in replies)
print("refused" if refused > 10 else "only %d refused" % refused)
with open("/proc/%s/status" % sys.argv[3]) as file:
    print(*[line for line in file if line.startswith("VmHWM")])
END
crowd_out=$(python3 "$TEST_WORK/greedy.py" "$TEST_SOURCE/tests/lib" \
	"$TEST_WORK/run-crowd/lmtp" "$(server_processes front)" 2>&1)
diag "$crowd_out"
like "$crowd_out" "refused*" \
	"beyond lmtp_memory_limit recipients are refused for now"
is "$(echo "$crowd_out" | awk '/VmHWM/ { print ($2 < 40000) }')" 1 \
	"and the front stays small"
is "$(python deliver "$TEST_WORK/run-crowd/lmtp" later)" "later 250" \
	"when they have gone there is room again"
server_stop
is $? 0 "and it ends as it should"
