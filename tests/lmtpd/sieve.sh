#!/bin/sh
# What the scripts of a worker learn of the LMTP session.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

cat >>"$conf" <<END
sieve = ~/script
lmtp_dsn = yes
END
cat >"$home/script" <<'END'
require ["envelope", "envelope-dsn", "environment", "variables", "vnd.cyrus.log"];
if environment :matches "remote-ip" "*" { log "ip <${1}>"; }
if envelope :matches "auth" "*" { log "auth <${1}>"; }
if envelope :matches "ret" "*" { log "ret <${1}>"; }
if envelope :matches "envid" "*" { log "envid <${1}>"; }
if envelope :matches "orcpt" "*" { log "orcpt <${1}>"; }
if envelope "notify" "DELAY" { log "notify has delay"; }
if envelope "notify" "FAILURE" { log "notify has failure"; }
log "end";
END
# say LINE...: a session of these commands, then a message.
say() {
	python3 - "$base/lmtp" "$@" <<'END'
import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
stream = link.makefile("rwb")
def reply():
    while True:
        line = stream.readline().decode()
        if line[3:4] != "-":
            return line
reply()
for line in sys.argv[2:] + ["DATA"]:
    stream.write(line.encode() + b"\r\n")
    stream.flush()
    last = reply()
stream.write(b"Subject: x\r\n\r\nA line.\r\n.\r\n")
stream.flush()
last = reply()
stream.write(b"QUIT\r\n")
stream.flush()
reply()
print(last.strip())
END
}
logged() {
	# Not what the mailer says of the notification, some time later.
	sed -n 's/.*lmtp(.*Info: sieve: //p' "$log" | grep -v '^msgid='
}

ok "the server starts" start
like "$(say 'LHLO client.example' 'MAIL FROM:<ada@client.example>' 'RCPT TO:<amy>')" \
	"250 *Saved" "a message without any of it"
is "$(logged)" "ip <>
end" "a client on a Unix socket has no address, and nothing is told"
: >"$log"
like "$(say 'LHLO client.example' \
	'MAIL FROM:<ada@client.example> RET=HDRS ENVID=a+2Bb' \
	'RCPT TO:<amy> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;sales@example.com')" \
	"250 *Saved" "a message with all of it"
is "$(logged)" "ip <>
ret <HDRS>
envid <a+b>
orcpt <rfc822;sales@example.com>
notify has delay
end" "scripts see the parameters"
stop
done_testing
