# Ten thousand connections, and what an idle thousand costs.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

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
END
server_start crowd
crowd_out=$(python crowd "$TEST_WORK/run-crowd/lmtp" 10000 "$server_pid" 2>&1)
diag "$crowd_out"
like "$crowd_out" "*1000 greeted*" "a thousand clients are greeted"
is "$(echo "$crowd_out" | awk '/^PSS [0-9]/ { print ($2 < 60000) }')" 1 \
	"which all together take less than 60 MB"
like "$crowd_out" "*10000 greeted*" "so are ten thousand"
like "$crowd_out" "*one more: 421 4.3.2*" "one more is told to come again"
like "$crowd_out" "*delivered 250*" "among them mail is delivered"
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
