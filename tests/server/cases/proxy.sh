# Recipients that live on another host.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

proxy_fake=$TEST_WORK/fake
mkdir "$proxy_fake"
python backend 2451 "$proxy_fake" &
proxy_fake_pid=$!
at_end "kill $proxy_fake_pid 2>/dev/null"
wait_for 10 test -e "$proxy_fake/ready" || bail_out "the backend does not start"

# steps LINE...: what the backend does from now on; its log begins anew.
# shellcheck disable=SC2317
steps() {
	: >"$proxy_fake/log"
	rm -f "$proxy_fake"/mail.*
	printf '%s\n' "$@" >"$proxy_fake/steps.new"
	mv "$proxy_fake/steps.new" "$proxy_fake/steps"
}
# The commands that the backend was told, without numbers.
# shellcheck disable=SC2317
told() {
	sed 's/^[0-9]* //' "$proxy_fake/log"
}

# A real one, which is another server of ours.
cat >"$TEST_WORK/users-back" <<END
amy@example.test::61091:61091::$TEST_WORK/home/amy::
bob@example.test::61092:61092::$TEST_WORK/home/bob::
END
server_conf back <<END
mail_location = maildir:~/Maildir
login_trusted_networks = 127.0.0.1
userdb {
  driver = passwd-file
  args = $TEST_WORK/users-back
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2450
  }
}
END
rm -rf "$TEST_WORK/home/amy/Maildir" "$TEST_WORK/home/bob/Maildir"
server_start back
proxy_back_pid=$server_pid

cat >"$TEST_WORK/users-proxy" <<END
amy@example.test:::::::proxy=y host=127.0.0.1 port=2450
bob@example.test:::::::proxy=y host=127.0.0.1 port=2450
nobody@example.test:::::::proxy=y host=127.0.0.1 port=2450
local@example.test::61091:61091::$TEST_WORK/home/amy/local::
one@fake.test:::::::proxy=y host=127.0.0.1 port=2451 proxy_timeout=2
two@fake.test:::::::proxy=y host=127.0.0.1 port=2451 proxy_timeout=2
smtp@fake.test:::::::proxy=y host=127.0.0.1 port=2451 protocol=smtp proxy_timeout=2
smtq@fake.test:::::::proxy=y host=127.0.0.1 port=2451 protocol=smtp proxy_timeout=2
off@example.test:::::::proxy=y host=127.0.0.1 port=2459
END
server_conf proxy <<END
mail_location = maildir:~/Maildir
lmtp_proxy = yes
login_trusted_networks = 127.0.0.1
userdb {
  driver = passwd-file
  args = $TEST_WORK/users-proxy
}
END
server_start proxy
target=$TEST_WORK/run-proxy/lmtp

is "$(python deliver "$target" amy@example.test bob@example.test)" \
	"amy@example.test 250
bob@example.test 250" "recipients of another host get their mail"
is "$(find "$TEST_WORK/home/amy/Maildir/new" "$TEST_WORK/home/bob/Maildir/new" \
	-type f | wc -l)" 2 "it is there, once for each"
is "$(python deliver "$target" amy@example.test nobody@example.test \
	local@example.test off@example.test)" \
	"amy@example.test 250
nobody@example.test 550
local@example.test 250
off@example.test 451" "each has its own answer, those who live here too"
like "$(OPTIONS=-v python deliver "$target" off@example.test)" \
	"*451 4.4.0 <off@example.test> Proxy failed (connect, session=*" \
	"a backend that is not there is told as such"
steps
is "$(python deliver "$target" one@fake.test two@fake.test)" \
	"one@fake.test 250
two@fake.test 250" "the same by a backend that offers nothing"
is "$(told)" "LHLO mx.example.test
MAIL FROM:<ada@client.example>
RCPT TO:<one@fake.test>
RCPT TO:<two@fake.test>
DATA" "it is told what is needed, and nothing else"
