#!/bin/sh
# Whom the server listens to, and what they may say of others.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

free_port() {
	FREE_PORT=1 python3 "$TEST_SOURCE/tests/lmtpd/tls.py"
}
# ask PORT COMMAND...: by TCP.  ask_unix SOCKET COMMAND...
ask() {
	python3 "$TEST_SOURCE/tests/lmtpd/tls.py" 127.0.0.1 "$@"
}
ask_unix() {
	socket=$1
	shift
	python3 "$TEST_SOURCE/tests/lmtpd/tls.py" "$base/$socket" - "$@"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=mx.example.test -keyout key.pem -out cert.pem 2>/dev/null
chmod 644 key.pem
cat >script <<'END'
require ["environment", "editheader", "variables", "envelope",
	"vnd.dovecot.environment"];
if environment :matches "remote-ip" "*" { set "ip" "${1}"; }
if environment :matches "remote-host" "*" { set "host" "${1}"; }
if envelope :matches "auth" "*" { set "auth" "${1}"; }
addheader "X-Remote" "<${ip}> <${host}> <${auth}>";
END
install -m 644 script "$home/.dovecot.sieve"
proxied=$(free_port) secret=$(free_port) plain=$(free_port)
cp "$conf" base.conf
write_conf() {
	cat base.conf - >"$conf" <<END
protocol lmtp {
  mail_plugins = \$mail_plugins sieve
}
haproxy_timeout = 1s
haproxy_trusted_networks = ${1:-127.0.0.0/8}
lmtp_allowed_networks = 127.0.0.0/8 192.0.2.0/24 2001:db8::/32
login_trusted_networks = ${2:-}
ssl_cert = <$TEST_WORK/cert.pem
ssl_key = <$TEST_WORK/key.pem
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  unix_listener mine {
    mode = 0666
    peer_users = 61031
  }
  unix_listener yours {
    mode = 0666
    peer_users = 61032 61033
    trusted = yes
  }
  inet_listener proxied {
    address = 127.0.0.1
    port = $proxied
    haproxy = yes
  }
  inet_listener secret {
    address = 127.0.0.1
    port = $secret
    haproxy = yes
    ssl = yes
  }
  inet_listener plain {
    address = 127.0.0.1
    port = $plain
  }
}
END
}
newest() {
	# shellcheck disable=SC2012 # names are the server's own
	cat "$home/Maildir/new/$(ls -t "$home/Maildir/new" | head -n 1)"
}
remote() {
	newest | sed -n 's/^X-Remote: //p'
}
logged() {
	grep -q -e "$1" "$log"
}
has_reloaded() {
	grep -q "^reloads=$1\$" "$base/status"
}
reload() {
	reloads=$((${reloads:-0} + 1))
	front=$(process front)
	kill -HUP "$server"
	soon has_reloaded $reloads && soon has_ended "$front"
}

write_conf
start || bail_out "the server does not start: $(cat out)"

# Without a proxy.
like "$(ask "$plain" deliver clear)" "250*Saved" "a TCP client delivers"
is "$(remote)" "<127.0.0.1> <> <>" "a script sees its address"
like "$(ask_unix lmtp deliver clear)" "250*Saved" "so does one on a Unix socket"
is "$(remote)" "<> <> <>" "it has none"

# The PROXY protocol.
for header in v1 v2; do
	like "$(ask "$proxied" proxied $header clear)" "250*Saved" \
		"a proxy names the client: $header"
	is "$(remote)" "<192.0.2.7> <> <>" "a script sees it"
	like "$(newest)" "*Received: from client.example (\[192.0.2.7\])*" \
		"and Received has it"
	like "$(ask "$proxied" proxied $header clear cut)" "250*Saved" \
		"byte by byte as well"
	like "$(ask "$secret" proxied $header tls)" "250*Saved" \
		"TLS begins behind the header"
done
like "$(ask "$secret" proxied v6 tls cut)" "250*Saved" \
	"a header in pieces leaves TLS as it is"
is "$(remote)" "<IPv6:2001:db8::7> <> <>" "an address of IPv6 is seen"
for header in unknown local; do
	like "$(ask "$proxied" proxied $header clear)" "250*Saved" \
		"a proxy may speak for itself: $header"
	is "$(remote)" "<127.0.0.1> <> <>" "then it is the client"
done
is "$(ask "$proxied" proxied stranger clear)" \
	"421 4.7.1 You are not from an allowed network" \
	"lmtp_allowed_networks is about the client"
ok "the log says so" logged \
	"Connect from 198.51.100.1 refused: not in lmtp_allowed_networks"
like "$(ask "$secret" proxied stranger tls)" "error: *" "within TLS nothing is said"
like "$(ask "$proxied" proxied none clear)" "error: *" \
	"who sends no header is left"
ok "the log says why" logged "Disconnect from 127.0.0.1: PROXY header: it is none"
is "$(ask "$proxied" silent)" "b'' 1" "haproxy_timeout ends a silent one"

# Unix sockets.
if [ "$(id -u)" -eq 0 ]; then
	ask_as() {
		uid=$1 socket=$2
		shift 2
		python3 - "$uid" "$base/$socket" "$@" <<'END'
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[2])
stream = client.makefile("rw", newline="")
print(stream.readline().strip())
for line in sys.argv[3:]:
    stream.write(line + "\r\n")
    stream.flush()
    print(stream.readline().strip())
END
	}
	like "$(ask_as 61031 mine)" "220 *" "a user of peer_users comes in"
	is "$(ask_as 61032 mine)" "421 4.7.1 You are not an allowed user" \
		"another one does not"
	ok "the log says so" logged \
		"Connect from local refused: its user is not in peer_users"
	like "$(ask_as 61033 yours 'XFORWARD ADDR=192.0.2.9')" "*250 2.0.0 OK" \
		"trusted = yes lets it speak for others"
	like "$(ask_as 61031 mine 'XFORWARD ADDR=192.0.2.9')" "*550 5.7.14*" \
		"without that it may not"
	like "$(ask_unix mine greeting)" "220 *" "root always comes in"
	like "$(ask_unix yours lines \
		"XCLIENT NAME=spike.example ADDR=192.0.2.9 LOGIN=ada")" \
		"250*Saved" "XCLIENT on a trusted socket"
	is "$(remote)" "<192.0.2.9> <spike.example> <ada>" "a script sees it all"
	like "$(ask_unix yours lines "XFORWARD NAME=far.example ADDR=192.0.2.10")" \
		"250*Saved" "XFORWARD there"
	is "$(remote)" "<192.0.2.10> <far.example> <>" "a script sees that, too"
else
	skip "peer_users" "needs root"
fi

# Trusted networks.
like "$(ask "$plain" lines "XCLIENT ADDR=192.0.2.9")" "550 5.7.14 *" \
	"not everybody may use XCLIENT"
write_conf 10.0.0.0/8 127.0.0.0/8
ok "a reload with other networks ends" reload
is "$(ask "$proxied" greeting)" "421 4.7.1 You are not from an allowed network" \
	"only haproxy_trusted_networks may be proxies"
like "$(ask "$plain" lines "XCLIENT NAME=spike.example ADDR=IPV6:2001:db8::9")" \
	"250*Saved" "login_trusted_networks may use XCLIENT"
is "$(remote)" "<IPv6:2001:db8::9> <spike.example> <>" "a script sees what it told"
like "$(newest)" "*Received: from client.example (\[2001:db8::9\])*" \
	"and Received has it"

# Users that are none.
sed -i 's/peer_users = 61031/peer_users = nobody-of-that-name/' "$conf"
kill -HUP "$server"
ok "a reload with an unknown user ends" soon has_reloaded $((reloads + 1))
ok "the log says which" logged \
	"peer_users: there is no user nobody-of-that-name"
ok "SIGTERM ends it" stop
done_testing
