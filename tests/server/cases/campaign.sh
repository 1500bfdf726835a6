# Broken sessions without end, in the clear and within TLS: nothing dies, nothing
# leaks, and others' mail arrives.  MINUTES=15 for a long run; SEED= for the same one.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

campaign_seconds=${MINUTES:+$((MINUTES * 60))}
campaign_seconds=${campaign_seconds:-4}
campaign_seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-subj /CN=mx.example.test -keyout "$TEST_WORK/campaign.key" \
	-out "$TEST_WORK/campaign.pem" 2>/dev/null
cat >"$TEST_WORK/campaign.sieve" <<'END'
require "envelope";
if not envelope :localpart "to" "victim" { discard; }
END
chmod 644 "$TEST_WORK/campaign.sieve"
campaign_uid=$(id -u vmail)
for user in amy bob victim; do
	echo "$user:{PLAIN}secret:$campaign_uid:$campaign_uid::$TEST_WORK/home/vmail/campaign/$user::"
done >"$TEST_WORK/campaign.users"
chmod 644 "$TEST_WORK/campaign.users"
server_conf campaign <<END
mail_location = maildir:~/Maildir
sieve_default = $TEST_WORK/campaign.sieve
auth_username_format = %Ln
recipient_delimiter = +
lmtp_auth_plain = yes
auth_failure_delay = 0
lmtp_dsn = no
lmtp_handshake_timeout = 3 secs
lmtp_idle_timeout = 5 secs
haproxy_trusted_networks = 127.0.0.0/8
login_trusted_networks = 127.0.0.0/8
userdb {
  driver = passwd-file
  args = $TEST_WORK/campaign.users
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
    trusted = yes
  }
  inet_listener starttls {
    address = 127.0.0.1
    port = 2461
  }
  inet_listener tls {
    address = 127.0.0.1
    port = 2462
    ssl = yes
  }
  inet_listener proxy {
    address = 127.0.0.1
    port = 2463
    haproxy = yes
  }
}
ssl_cert = <$TEST_WORK/campaign.pem
ssl_key = <$TEST_WORK/campaign.key
END
server_start campaign
# campaign_run SECONDS
campaign_run() {
	python campaign "$1" "$campaign_seed" "$TEST_WORK/run-campaign/lmtp" \
		2461 2462 2463 2>&1
}
# campaign_of NAME: that line of /proc/PID/status of the front, in KiB.
campaign_of() {
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" \
		"/proc/$(server_processes front)/status"
}
campaign_fds() {
	find "/proc/$campaign_front/fd" -mindepth 1 | wc -l
}
# campaign_open: connections of the front, as master knows them.
campaign_open() {
	"$doorstep" -c "$TEST_WORK/campaign.conf" metrics |
		sed -n 's/^doorstep_connections //p'
}
# None is left of those who have gone, but who asks.
campaign_is_over() {
	[ "$(campaign_open)" = 0 ] && [ "$(campaign_fds)" -le "$campaign_files" ]
}
campaign_front=$(server_processes front)
# Channels to the workers of its one user, which are there later.
campaign_files=$(($(campaign_fds) + 8))
campaign_run 2 >"$TEST_WORK/campaign.out"
is $? 0 "while sessions are broken, others' mail arrives" ||
	diag "$(cat "$TEST_WORK/campaign.out")"
ok "when they have gone no connection and no file is left" \
	wait_for 20 campaign_is_over ||
	diag "$(campaign_open) connections, $(campaign_fds) files"
campaign_files=$(($(campaign_fds) + 8))
campaign_before=$(campaign_of VmRSS)
campaign_found=$(campaign_run "$campaign_seconds")
is $? 0 "for $campaign_seconds seconds more (SEED=$campaign_seed)"
diag "$campaign_found"
ok "again none is left" wait_for 20 campaign_is_over ||
	diag "$(campaign_open) connections, $(campaign_fds) files"
diag "the front had $campaign_before KiB, now $(campaign_of VmRSS)"
if [ -z "$sanitizer" ]; then
	is "$([ "$(campaign_of VmRSS)" -lt $((campaign_before + 16384)) ] && echo yes)" \
		yes "and it holds not much more memory"
fi
is "$(server_processes front)" "$campaign_front" "the front is the same process"
is "$(grep -cE 'sandbox refused|broke the rules|died of signal' \
	"$TEST_WORK/log/campaign.log")" 0 "no process has died, or tried what it may not"
is "$(server_deaths campaign)" "" "master has seen none die"
campaign_sent=$(sed -n 's/^witness //p' "$TEST_WORK/campaign.out" |
	awk -v more="$(echo "$campaign_found" | sed -n 's/^witness //p')" \
		'{ print $1 + more }')
is "$(find "$TEST_WORK/home/vmail/campaign/victim/Maildir/new" -type f | wc -l)" \
	"$campaign_sent" "what the other client sent is there, each message once"
server_stop
is $? 0 "the server ends as it should"
