#!/bin/sh
# TLS: who speaks it how, with which certificate, and what a reload does.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

# make_certificate FILE NAME [OPTION...]: FILE.pem and FILE.key.
make_certificate() {
	made=$1 name=$2
	shift 2
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 2 -subj "/CN=$name" -keyout "$made.key" \
		-out "$made.pem" "$@" 2>/dev/null
	chmod 644 "$made.key"
}
# A client's: of an authority that the server knows, or of itself.
make_client() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/CN=mx.client.example" -keyout client.key \
		-out client.csr 2>/dev/null
	openssl x509 -req -in client.csr -CA authority.pem \
		-CAkey authority.key -CAcreateserial -days 2 -out client.pem \
		2>/dev/null
}
free_port() {
	FREE_PORT=1 python3 "$TEST_SOURCE/tests/lmtpd/tls.py"
}
# ask PORT COMMAND...
ask() {
	python3 "$TEST_SOURCE/tests/lmtpd/tls.py" 127.0.0.1 "$@"
}
make_certificate first mx.example.test
make_certificate second second.example.test
make_certificate other other.example.test
make_certificate wide wide
make_certificate authority "An authority"
make_certificate stranger stranger
openssl ec -in second.key -aes128 -passout pass:secret -out locked.key \
	2>/dev/null
chmod 644 locked.key
make_client
clear=$(free_port) implicit=$(free_port) plain=$(free_port)
cp "$conf" base.conf
write_conf() {
	cat base.conf - >"$conf" <<END
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener a {
    address = 127.0.0.1
    port = $clear
  }
  inet_listener b {
    address = 127.0.0.1
    port = $implicit
    ssl = yes
  }
  inet_listener c {
    address = 127.0.0.1
    port = $plain
    ssl = no
  }
}
ssl_cert = <$TEST_WORK/${1:-first}.pem
ssl_key = <$TEST_WORK/${2:-first}.key
local_name other.example.test {
  ssl_cert = <$TEST_WORK/other.pem
  ssl_key = <$TEST_WORK/other.key
}
local_name *.wide.example.test {
  ssl_server_cert_file = $TEST_WORK/wide.pem
  ssl_server_key_file = $TEST_WORK/wide.key
}
END
}
has_reloaded() {
	grep -q "^reloads=$1\$" "$base/status"
}
reload() {
	reloads=$((${reloads:-0} + 1))
	kill -HUP "$server"
	soon has_reloaded $reloads
}
# has_name NAME: the certificate that who asks for none is shown.
has_name() {
	[ "$(ask "$implicit" name implicit)" = "$1" ]
}
logged() {
	grep -q -e "$1" "$log"
}
newest() {
	# shellcheck disable=SC2012 # names are the server's own
	cat "$home/Maildir/new/$(ls -t "$home/Maildir/new" | head -n 1)"
}

write_conf
start || bail_out "the server does not start: $(cat out)"

# Who offers what.
like "$(ask "$clear" lhlo clear)" "*STARTTLS*" "STARTTLS is offered"
unlike "$(ask "$clear" lhlo starttls)" "*STARTTLS*" "it is not, within TLS"
unlike "$(ask "$plain" lhlo clear)" "*STARTTLS*" "nor where ssl = no"
like "$(ask "$plain" lhlo starttls)" "error: 502 5.5.1 *not enabled*" \
	"and refused there"
is "$(ask "$clear" again)" "502 5.5.1 TLS is already active." \
	"a second STARTTLS is refused"

# Mail.
like "$(ask "$clear" deliver starttls)" "250 2.0.0 * Saved" \
	"mail is delivered behind STARTTLS"
like "$(newest)" "*(using TLSv1.3 with cipher TLS_*(*/* bits))*with LMTPS*" \
	"Received says so"
like "$(ask "$implicit" deliver implicit)" "250 2.0.0 * Saved" \
	"mail is delivered within TLS"
like "$(ask "$clear" deliver clear)" "250 2.0.0 * Saved" \
	"mail is delivered in the clear"
like "$(ask "$implicit" long 3000000)" "250*Saved | 250 2.0.0 OK | 221*" \
	"a long message in one go, with commands behind it"
ok "the log has version and cipher" logged "TLS: TLSv1.3 with cipher "

# What came before STARTTLS.
is "$(ask "$clear" inject)" \
	"220 2.0.0 Begin TLS negotiation now. | 503 5.5.0 MAIL needed first" \
	"what comes in the clear behind STARTTLS is thrown away"
is "$(ask "$clear" forgets)" "503 5.5.0 MAIL needed first" \
	"a transaction of before is forgotten"

# Certificates.
is "$(ask "$implicit" name implicit)" mx.example.test \
	"who asks for no name gets the first certificate"
is "$(ask "$clear" name starttls OTHER.example.test)" other.example.test \
	"who asks for another one gets that"
is "$(ask "$implicit" name implicit a.wide.example.test)" wide \
	"an asterisk stands for one label"
is "$(ask "$implicit" name implicit a.b.wide.example.test)" mx.example.test \
	"and for no more"
is "$(ask "$clear" resume TLSv1_3)" "False True" "TLS 1.3 resumes a session"
is "$(ask "$clear" resume TLSv1_2)" "False True" "so does TLS 1.2"

# Clients that want no good.
like "$(ask "$implicit" slow 200)" "250*Saved" \
	"many slow handshakes are in nobody's way"
is "$(ask "$implicit" refused "$(printf '%04096d' 0)")" ended \
	"what is no TLS is left"
like "$(ask "$implicit" garbage "${ROUNDS:-40}" 1)" "250*Saved" \
	"random bytes in a handshake do no harm"
ok "the log says what failed" logged "TLS handshake failed: "

# Reload.
front=$(process front)
write_conf second second
ok "a reload ends" reload
ok "a reload takes the new certificate" soon has_name second.example.test
ok "there is a new front" is_new front "$front"
front=$(process front)
for wrong in "first second:is not the key of ssl_cert" \
	"missing first:ssl_cert: .*missing.pem" \
	"first missing:ssl_key: .*missing.key" \
	"first locked:no key, or not with this ssl_key_password"; do
	# shellcheck disable=SC2086 # two words
	write_conf ${wrong%%:*}
	ok "a reload with ${wrong%%:*} ends" reload
	is "$(process front)" "$front" "the front of before stays"
	ok "the log says: ${wrong#*:}" logged "${wrong#*:}"
	is "$(ask "$implicit" name implicit)" second.example.test \
		"with its certificate"
done
write_conf second locked
echo "ssl_key_password = secret" >>"$conf"
ok "a reload with a locked key and its password ends" reload
ok "it has a new front" soon is_new front "$front"
ok "the old one has ended" soon has_ended "$front"
is "$(ask "$implicit" name implicit)" second.example.test "the key is open"

# One that has expired serves those who do not look, and the log tells of it.
openssl x509 -in first.pem -signkey first.key -days -1 -out expired.pem \
	2>/dev/null
write_conf expired first
front=$(process front)
ok "a reload with a certificate that has expired ends" reload
ok "it has a new front" soon is_new front "$front"
ok "the old one has ended" soon has_ended "$front"
ok "the log warns of it" logged \
	"Warning: ssl_cert of the server: the certificate has expired"

# Clients' certificates.
write_conf
cat >>"$conf" <<END
ssl_ca = <$TEST_WORK/authority.pem
auth_ssl_require_client_cert = yes
lmtp_handshake_timeout = 1s
lmtp_auth_external = yes
END
front=$(process front)
ok "a reload that wants clients' certificates ends" reload
ok "it has a new front" soon is_new front "$front"
ok "the old one has ended" soon has_ended "$front"
like "$(ask "$implicit" certificate client.pem client.key)" "250*Saved" \
	"a good certificate is welcome"
like "$(ask "$implicit" external client.pem client.key)" "250*Saved" \
	"AUTH EXTERNAL takes its name"
like "$(newest)" "*with LMTPSA*" "Received says so"
ok "the log names it" logged "certificate of mx.client.example"
like "$(ask "$implicit" certificate stranger.pem stranger.key)" "error*" \
	"a strange one is refused"
like "$(ask "$implicit" certificate - -)" "error*" "none is refused"
is "$(ask "$implicit" timeout)" late "a handshake that does not begin is ended"

# Required.
write_conf
echo "ssl = required" >>"$conf"
front=$(process front)
ok "a reload with ssl = required ends" reload
ok "it has a new front" soon is_new front "$front"
ok "the old one has ended" soon has_ended "$front"
is "$(ask "$clear" deliver clear)" \
	"530 5.7.0 Must issue a STARTTLS command first" \
	"nobody sends mail in the clear"
like "$(ask "$clear" deliver starttls)" "250*Saved" "but behind STARTTLS"
ok "and on the Unix socket" has_saved

# Versions and ciphers.
handshake() {
	openssl s_client -connect "127.0.0.1:$implicit" "$@" </dev/null 2>&1 |
		sed -n 's/^ *\(New\|Cipher is\|    Cipher\).*, *//p; s/.*Cipher is /Cipher is /p' |
		tail -n 1
}
for version in tls1 tls1_1; do
	like "$(handshake -$version -cipher ALL:@SECLEVEL=0)" "*(NONE)" \
		"$version is not spoken"
done
for version in tls1_2 tls1_3; do
	unlike "$(handshake -$version)" "*(NONE)" "$version is spoken"
done
for cipher in NULL aNULL kRSA PSK CAMELLIA; do
	like "$(handshake -tls1_2 -cipher "$cipher:@SECLEVEL=0")" "*(NONE)*" \
		"no cipher of $cipher is taken"
done
for cipher in ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-CHACHA20-POLY1305; do
	like "$(handshake -tls1_2 -cipher $cipher)" "*$cipher" \
		"$cipher is taken"
done
write_conf
cat >>"$conf" <<END
ssl_min_protocol = TLSv1.3
ssl_cipher_suites = TLS_CHACHA20_POLY1305_SHA256
ssl_curve_list = P-384
END
front=$(process front)
ok "a reload with ciphers ends" reload
ok "it has a new front" soon is_new front "$front"
ok "the old one has ended" soon has_ended "$front"
like "$(handshake -tls1_2)" "*(NONE)" "ssl_min_protocol counts"
like "$(handshake)" "*TLS_CHACHA20_POLY1305_SHA256" "ssl_cipher_suites count"
like "$(handshake -curves X25519)" "*(NONE)" "ssl_curve_list counts"
echo "ssl_cipher_list = nonsense" >>"$conf"
ok "a reload with a wrong list ends" reload
ok "the log says what is wrong with it" \
	logged 'ssl_cipher_list: "nonsense": no cipher match'

# Memory.
write_conf
front=$(process front)
ok "a reload with all of TLS ends" reload
ok "it has a new front" soon is_new front "$front"
ok "the old one has ended" soon has_ended "$front"
# shellcheck disable=SC3045 # dash and bash have it
limit=$(ulimit -n)
count=1000
[ "$limit" -gt 1100 ] || count=$((limit - 100))
# idle_below BYTES NAME PORT TLS: a confined process shows its memory to root only.
idle_below() {
	if grep -q __asan_init "$TEST_BUILD/lmtp/doorstep-lmtpd"; then
		skip "$2" "with sanitizers its memory says nothing"
		return
	fi
	if ! cat "/proc/$(process front)/smaps_rollup" >/dev/null 2>&1; then
		skip "$2" "the front's memory cannot be seen"
		return
	fi
	each=$(ask "$3" memory "$(process front)" $count "$4")
	diag "$count idle connections, $4: $each bytes each"
	ok "$2" [ "$each" -lt "$1" ]
}
idle_below 8192 "an idle connection in the clear takes less than 8 KB" \
	"$clear" clear
idle_below 40960 "one with TLS less than 40 KB" "$implicit" implicit

ok "SIGTERM ends it" stop
done_testing
