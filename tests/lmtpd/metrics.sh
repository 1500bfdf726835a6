#!/bin/sh
# `doorstep metrics` and `doorstep top` count what the server does.
# SPDX-License-Identifier: MIT
. "${TEST_SOURCE:-$(dirname "$0")/../..}/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lmtpd/lmtpd.sh"

doorstep=$TEST_BUILD/ctl/doorstep
cat >"$home/users" <<END
amy::$lmtpd_uid:$lmtpd_uid::$home
END
sed -i '/^userdb/,$d' "$conf"
cat >>"$conf" <<END
sieve = ~/script
userdb {
  driver = passwd-file
  args = $home/users
}
END
metrics() {
	as_user "$doorstep" -c "$conf" metrics
}
# value NAME: of one line.
value() {
	metrics | sed -n "s/^$(printf %s "$1" | sed 's/[{}]/\\&/g;s/\\{/{/g;s/\\}/}/g') //p"
}
has_value() {
	[ "$(value "$1")" = "$2" ]
}

metrics >text 2>&1
is $? 75 "without a server there are no numbers"
ok "the server starts" start
is "$(value 'doorstep_deliveries_total{result="saved"}')" 0 \
	"at first nothing is saved"
like "$(send)" "250 *Saved" "a message is saved"
echo 'discard;' >"$home/script"
like "$(send)" "250 *" "one is discarded"
echo 'fileinto;' >"$home/script"
like "$(send)" "250 *Saved" "a script in error keeps one"
like "$(send nobody)" "550 *" "an unknown user is refused"
# What a front has counted is told once a second.
ok "saved ones are counted" \
	soon has_value 'doorstep_deliveries_total{result="saved"}' 2
ok "refused recipients are counted" soon has_value \
	'doorstep_recipients_refused_total{reason="unknown"}' 1
is "$(value 'doorstep_recipients_refused_total{reason="temporary"}')" 0 \
	"and not for another reason"
is "$(value 'doorstep_deliveries_total{result="discarded"}')" 1 \
	"so is what is discarded"
is "$(value doorstep_sieve_errors_total)" 1 "so are scripts in error"
is "$(value doorstep_messages_total)" 3 "so are messages"
for phase in sieve quota store outbound queue total; do
	is "$(value "doorstep_phase_seconds_count{phase=\"$phase\"}")" 3 \
		"the phase $phase of each job is counted"
	is "$(value "doorstep_phase_seconds_bucket{phase=\"$phase\",le=\"+Inf\"}")" \
		3 "in some bucket"
done
is "$(value 'doorstep_phase_seconds_count{phase="lookup"}')" 4 \
	"and the lookup of each recipient"
like "$(value 'doorstep_phase_seconds_sum{phase="store"}')" "0.*[1-9]*" \
	"a store takes some time"
is "$(value 'doorstep_workers{state="idle"}')" 1 "there is an idle worker"

# Buckets never fall.
metrics | python3 -c '
import re, sys
last = {}
wrong = 0
for line in sys.stdin:
    found = re.match(r"(\S+_bucket\{phase=\"\w+\"),le=\S+ (\d+)", line)
    if found:
        wrong += int(found[2]) < last.get(found[1], 0)
        last[found[1]] = int(found[2])
print(wrong, len(last))' >buckets
is "$(cat buckets)" "0 7" "the buckets of each phase add up"

# The text format: HELP and TYPE once for each, and in front of its values.
is "$(metrics | grep '^# TYPE' | sort | uniq -d)" "" "each type is told once"
is "$(metrics | awk '/^# TYPE/ { known[$3] = 1; next } /^#/ { next }
	{ name = $1; sub(/{.*/, "", name); sub(/_(bucket|sum|count)$/, "", name)
	  if (!known[name]) print name }')" "" "each value has a type"
is "$(metrics | grep -vE '^(# (HELP|TYPE) doorstep_[a-z_]+ .+|doorstep_[a-z0-9_]+(\{[^}]*\})? [0-9.]+)$')" \
	"" "every line is one of the text format"

# A front that dies takes nothing away.
killed=$(process front)
kill -9 "$killed"
ok "a front that was killed comes back" soon is_new front "$killed"
is "$(value 'doorstep_deliveries_total{result="saved"}')" 2 \
	"what the old one had counted stays"
is "$(value 'doorstep_process_deaths_total{kind="front"}')" 1 \
	"its death is counted"
rm "$home/script"
ok "mail is delivered" soon has_saved
ok "both are added up" \
	soon has_value 'doorstep_deliveries_total{result="saved"}' 3

# The dashboard asks for what is there.
metrics | grep -v '^#' | sed 's/[{ ].*//' | sort -u >there
grep -oh 'doorstep_[a-z_]*[a-z]' "$TEST_SOURCE/samples/grafana/doorstep.json" |
	sort -u >wanted
is "$(comm -13 there wanted)" "" "the dashboard names metrics that are there"
is "$(sed 's/_bucket$\|_sum$\|_count$//' there | sort -u >a
	sed 's/_bucket$\|_sum$\|_count$//' wanted | sort -u >b
	comm -23 a b)" "" "and all of them"

# By HTTP.
ask() {
	printf '%s\r\n' "$@" '' | as_user "$doorstep" -c "$conf" metrics --http |
		tr -d '\r'
}
metrics | sort | grep -v '_sum{\|_bucket{' >plain
ask 'GET /metrics HTTP/1.1' 'Host: x' >answer
is "$(head -n 1 answer)" "HTTP/1.1 200 OK" "--http answers a question"
is "$(grep -c '^Content-Type: text/plain; version=0.0.4' answer)" 1 \
	"and says what it is"
is "$(sed '1,/^$/d' answer | sort | grep -v '_sum{\|_bucket{' | cmp - plain)" "" \
	"with the same numbers"
is "$(ask 'HEAD /metrics HTTP/1.1' | sed '1,/^$/d')" "" "HEAD has no numbers"
is "$(ask 'GET /etc/passwd HTTP/1.1' | head -n 1)" "HTTP/1.1 404 Not Found" \
	"elsewhere nothing is found"
is "$(ask 'POST /metrics HTTP/1.1' | head -n 1)" \
	"HTTP/1.1 405 Method Not Allowed" "nothing is changed"
is "$(head -c 10000 /dev/zero | as_user "$doorstep" -c "$conf" metrics --http)" \
	"" "a long head has no answer"
# No function here: $! is to be the program itself.
$as_user "$doorstep" -c "$conf" metrics --listen="$home/metrics" >listen 2>&1 &
listening=$!
at_end "kill -9 $listening 2>/dev/null"
soon test -S "$home/metrics"
scrape() {
	python3 - "$home/metrics" "${1:-0}" <<'END'
import http.client, socket, sys
class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(sys.argv[1])
silent = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for one in silent:
    one.connect(sys.argv[1])
link = Local("localhost")
link.request("GET", "/metrics")
answer = link.getresponse()
print(answer.status, len(answer.read()) > 5000)
END
}
ok "--listen makes the socket" soon scrape
is "$(scrape)" "200 True" "and answers there"
is "$(scrape)" "200 True" "again and again"
is "$(scrape 20)" "200 True" "behind twenty who say nothing, too"
for address in 0.0.0.0:9900 192.0.2.1:1 127.0.0.1 127.0.0.1:x nonsense; do
	as_user "$doorstep" -c "$conf" metrics --listen=$address >/dev/null 2>&1
	is $? 64 "--listen=$address is refused"
done

top() {
	as_user "$doorstep" -c "$conf" top "$@"
}
top --once >picture 2>&1
is $? 0 "top --once ends"
like "$(head -n 1 picture)" "Doorstep * is running, up 0d 00:*" \
	"it says what runs"
is "$(awk '$1 == "saved" { print $2 }' picture)" 3 "what was saved"
is "$(grep -c '^front ' picture)" 1 "the front"
is "$(grep -c "$(printf '\033')" picture)" 0 "without signs for a terminal"
is "$(top --once --sort=pid | sed -n '/^KIND/,$p' | sed 1d | awk '{ print $2 }')" \
	"$(top --once | sed -n '/^KIND/,$p' | sed 1d | awk '{ print $2 }' | sort -n)" \
	"--sort=pid sorts by number"
is "$(top --times=2 --every=1 </dev/null | grep -c '^Doorstep')" 2 \
	"--times=2 shows two"
top --every=0 >/dev/null 2>&1
is $? 64 "an interval of nothing is refused"
# On a terminal: q ends it, and the terminal is as before.
python3 - "$doorstep" "$conf" <<'END' >screen
import os, pty, select, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "-c", sys.argv[2], "top"])
before = termios.tcgetattr(terminal)
seen = b""
def wait_for(text):
    global seen
    while text not in seen:
        if not select.select([terminal], [], [], 20)[0]:
            sys.exit("no " + repr(text))
        seen += os.read(terminal, 65536)
    seen = seen[seen.index(text) + len(text):]
wait_for(b"now by jobs")
wait_for(b"AGE (s)")
os.write(terminal, b"s")
wait_for(b"now by kind")
os.write(terminal, b"q")
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
END
is "$(cat screen)" 0 "on a terminal s sorts and q ends"
ok "the server ends" stop
is "$(ask 'GET /metrics HTTP/1.1' 2>/dev/null | head -n 1)" \
	"HTTP/1.1 503 Service Unavailable" "then --http has nothing to tell"
done_testing
