# Each limit is attacked, and the front stays small.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

server_conf attack <<END
mail_home = $TEST_WORK/home/vmail/attack/%n
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
mail_temp_dir = $TEST_WORK/spool-attack
message_max_size = 20M
lmtp_max_connections_per_peer = 3
lmtp_max_commands = 50
lmtp_max_bad_commands = 4
lmtp_max_recipients = 100
lmtp_session_timeout = 2 secs
lmtp_user_concurrency_limit = 2
lmtp_memory_limit = 4M
userdb {
  driver = static
  args = allow_all_users=yes
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2424
  }
  unix_listener lmtp {
    mode = 0666
  }
}
END
install -d -o doorstep "$TEST_WORK/spool-attack"
server_start attack
attack_target=$TEST_WORK/run-attack/lmtp

# The most memory the front ever had, in KiB.
attack_peak() {
	sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' \
		"/proc/$(server_processes front)/status"
}

attack_front=$(server_processes front)
is "$(python attack peers 127.0.0.1:2424 3)" \
	"421 4.7.0 Too many connections from your address
220
220" "lmtp_max_connections_per_peer: the fourth of one address is turned away, \
another address and a later one are not"
is "$(python attack commands "$attack_target" 49)" \
	"421 4.7.0 Too many commands." \
	"lmtp_max_commands: a session has no more commands"
is "$(python attack bad "$attack_target" 4)" \
	"421 4.7.0 Too many invalid commands." \
	"lmtp_max_bad_commands: nor more that mean nothing"
like "$(sed -i 's/^lmtp_max_commands.*//' "$TEST_WORK/attack.conf" &&
	"$doorstep" -c "$TEST_WORK/attack.conf" reload)" "reloaded*" \
	"a reload takes a limit away"
is "$(python attack busy "$attack_target")" \
	"421 4.3.2 Session takes too long" \
	"lmtp_session_timeout: a session ends although it is never idle"
is "$(python attack recipients "$attack_target" 150)" "100 250 2.1.5
50 452 4.5.3" "lmtp_max_recipients: further ones are for later"
is "$(python attack user "$attack_target" 2 amy bob)" \
	"451 4.3.0 <amy> Too many concurrent deliveries for user
250
250" "lmtp_user_concurrency_limit: a third delivery to a user is for later, \
not one to another user, and not when one has ended"
is "$(python attack size "$attack_target" amy 25)" "552 5.2.3" \
	"message_max_size: a message that does not say its size is refused"
is "$(find "$TEST_WORK/home/vmail" -path '*attack*' -type f | wc -l)" 0 \
	"and nothing was filed"
# Several connections of one client by the Unix socket, which has no address.
is "$(python attack flood "$attack_target" 300)" sent \
	"three hundred clients write without reading"
is "$(python deliver "$attack_target" carl)" "carl 250" \
	"another one's mail is filed meanwhile"
if [ -z "$sanitizer" ]; then
	diag "the front had $(attack_peak) KiB at most"
	is "$([ "$(attack_peak)" -lt 65536 ] && echo yes)" yes \
		"and the front never took more than 64 MiB"
fi
is "$(server_deaths attack)" "" "no process has died of it"
server_stop
is $? 0 "the server ends as it should"

# TLS has memory of its own.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=mx.example.test -keyout "$TEST_WORK/attack.key" \
	-out "$TEST_WORK/attack.pem" 2>/dev/null
sed -i '/inet_listener/,/^  }/d' "$TEST_WORK/attack.conf"
cat >>"$TEST_WORK/attack.conf" <<END
lmtp_tls_memory_limit = 12M
lmtp_handshake_timeout = 30 secs
ssl_cert = <$TEST_WORK/attack.pem
ssl_key = <$TEST_WORK/attack.key
service lmtp {
  inet_listener tls {
    address = 127.0.0.1
    port = 2425
    ssl = yes
  }
  inet_listener starttls {
    address = 127.0.0.1
    port = 2426
  }
}
END
sed -i 's/^lmtp_max_connections_per_peer.*//; s/^lmtp_session_timeout.*//' \
	"$TEST_WORK/attack.conf"
server_start attack
is "$(python attack tls 127.0.0.1:2425 127.0.0.1:2426 1000)" \
	"before: 250
a new one: closed
STARTTLS: 454 4.7.0
in the clear: 250
before: 250
afterwards: 250" "lmtp_tls_memory_limit: clients that announce long messages of \
TLS take no more than that, who is connected goes on, and when they have gone all is well"
if [ -z "$sanitizer" ]; then
	diag "the front had $(attack_peak) KiB at most"
	is "$([ "$(attack_peak)" -lt 32768 ] && echo yes)" yes \
		"and the front never took more than 32 MiB"
fi
ok "the log says why" grep -q \
	'TLS handshake failed: lmtp_tls_memory_limit is used up' \
	"$TEST_WORK/log/attack.log"
is "$(server_deaths attack)" "" "no process has died of it"
server_stop
is $? 0 "the server ends as it should"
