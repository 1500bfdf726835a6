#!/bin/sh
# What a real systemd makes of the units: run by it, in a machine of its own.  Prints a
# line for each thing that cases/systemd.sh looks for.
# SPDX-License-Identifier: MIT

soon() {
	tries=200
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
property() {
	systemctl show -P "$1" doorstep-lmtpd.service
}
is_active() {
	[ "$(property ActiveState)" = active ]
}
# is_other PID: the unit is active with another first process.
is_other() {
	is_active && [ "$(property MainPID)" != "$1" ] && [ "$(property MainPID)" != 0 ]
}
has_generation() {
	property StatusText | grep -q "^Generation $1: "
}
deliver() {
	python3 - <<'END'
import smtplib
client = smtplib.LMTP("/run/doorstep/lmtp")
client.ehlo("client.example")
client.mail("ada@client.example")
client.rcpt("amy")
print(client.data(b"Subject: x\r\n\r\nA line.\r\n")[0])
client.quit()
END
}

systemd-sysusers >/dev/null
systemd-tmpfiles --create doorstep.conf
systemctl daemon-reload
echo "enabled $(systemctl enable doorstep-lmtpd.socket doorstep-lmtpd.service 2>&1 |
	grep -c 'Created symlink')"
systemctl start doorstep-lmtpd.socket
echo "socket $(systemctl is-active doorstep-lmtpd.socket)"
echo "before $(property ActiveState)"
echo "first mail $(deliver)"
soon is_active ||
	systemctl show -p Result,ExecMainCode,ExecMainStatus doorstep-lmtpd.service >&2
echo "then $(property ActiveState) $(property SubState) $(property Type)"
soon has_generation 1
echo "status $(property StatusText | sed 's/:.*//')"
first=$(property MainPID)
echo "front is $(ps -o user:20= -C doorstep-lmtpd -o args= | sed -n 's/ .*--child=front$//p')"
echo "lookup is $(ps -o user:20= -C doorstep-lmtpd -o args= | sed -n 's/ .*--child=lookup$//p')"
echo "own group $(sed 's/.*://' "/proc/$first/cgroup" | sort -u | grep -c doorstep-lmtpd.service)"
echo "bounding $(sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$first/status")"
echo "etc $(nsenter -t "$first" -m sh -c ': 2>/dev/null >/etc/doorstep-test' 2>/dev/null &&
	echo written || echo 'read only')"
systemctl reload doorstep-lmtpd.service
soon has_generation 2
echo "reloaded $(property StatusText | sed 's/:.*//') $([ "$(property MainPID)" = "$first" ] && echo same)"
kill -9 "$first"
echo "mail after a kill $(deliver)"
soon is_other "$first"
echo "after a kill $(property ActiveState) $(property NRestarts)"
second=$(property MainPID)
# WatchdogSec is short here.
kill -STOP "$second"
soon is_other "$second"
echo "after a hang $(property ActiveState) $(property NRestarts)"
systemctl restart doorstep-lmtpd.service
echo "mail after a restart $(deliver)"
systemctl start doorstep-metrics.socket
echo "metrics $(python3 - <<'END'
import urllib.request
text = urllib.request.urlopen("http://127.0.0.1:9900/metrics", timeout=30).read()
print(sum(line.startswith(b"doorstep_info{") for line in text.splitlines()))
END
)"
systemctl stop doorstep-lmtpd.service doorstep-lmtpd.socket
echo "stopped $(property ActiveState) $(property Result)"
echo "left $(pgrep -c doorstep-lmtpd)"
