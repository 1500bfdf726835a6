# The units of samples/systemd under a real systemd, which starts the server when
# somebody connects, and again when it dies or hangs.
# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154

manager=$TEST_WORK/systemd
manager_units=$TEST_SOURCE/samples/systemd
mkdir -p "$manager/disk" "$manager/out" "$manager/fill/etc/systemd/system" \
	"$manager/fill/usr/local/sbin" "$manager/fill/usr/local/bin" \
	"$manager/fill/usr/local/etc/doorstep" "$manager/fill/usr/lib/sysusers.d" \
	"$manager/fill/usr/lib/tmpfiles.d"
chmod -R u=rwX,go=rX "$manager"
cp "$manager_units"/*.service "$manager_units"/*.socket \
	"$manager/fill/etc/systemd/system"
cp "$manager_units/doorstep.sysusers.conf" \
	"$manager/fill/usr/lib/sysusers.d/doorstep.conf"
cp "$manager_units/doorstep.tmpfiles.conf" \
	"$manager/fill/usr/lib/tmpfiles.d/doorstep.conf"
# A hang is seen sooner than by the sample.
mkdir "$manager/fill/etc/systemd/system/doorstep-lmtpd.service.d"
printf '[Service]\nWatchdogSec=3\nStandardError=append:/out/server\n' \
	>"$manager/fill/etc/systemd/system/doorstep-lmtpd.service.d/test.conf"
install -m 755 "$lmtpd" "$manager/fill/usr/local/sbin/doorstep-lmtpd"
install -m 755 "$doorstep" "$manager/fill/usr/local/bin/doorstep"
cp "$TEST_SOURCE/tests/server/systemd-drive.sh" "$manager/out/drive.sh"
cat >"$manager/fill/usr/local/etc/doorstep/doorstep.conf" <<END
hostname = mx.example.test
log_path = /var/lib/doorstep/log
mail_location = maildir:~/Maildir
mail_home = /var/lib/vmail/%n
mail_uid = vmail
mail_gid = vmail
userdb {
  driver = static
  args = allow_all_users=yes
}
END

# manager_run: it ends by itself; what it found is in out/found.
manager_run() {
	timeout -k 5 150 unshare --mount --pid --fork --kill-child --cgroup \
		--mount-proc sh "$TEST_SOURCE/tests/server/systemd-enter.sh" \
		"$manager" >"$manager/out/entered" 2>&1 </dev/null
}
# A control group of its own, so that this systemd meets none of the machine's.
manager_group=/sys/fs/cgroup/doorstep-test-$$
[ ! -d /sys/fs/cgroup/systemd ] ||
	manager_group=/sys/fs/cgroup/systemd/doorstep-test-$$
manager_why=
if [ -n "$sanitizer" ]; then
	manager_why="the units' limits are for a build without sanitizers"
elif [ ! -x /lib/systemd/systemd ]; then
	manager_why="no systemd here"
elif ! mkdir "$manager_group" 2>/dev/null; then
	manager_why="no control group can be made here"
else
	at_end "find $manager_group -depth -type d -exec rmdir {} + 2>/dev/null"
	# The group's processes are those of this shell's child alone.
	sh -c "echo \$\$ >$manager_group/cgroup.procs && exec cat" </dev/null ||
		manager_why="no process may enter a control group here"
fi
if [ -z "$manager_why" ]; then
	(
		sh -c "echo \$PPID >$manager_group/cgroup.procs"
		manager_run
	)
	[ -s "$manager/out/found" ] ||
		manager_why="systemd does not run here: $(tail -n 1 "$manager/out/entered")"
fi
# systemd_says LINE WORD: that line is among what was found.
systemd_says() {
	if [ -n "$manager_why" ]; then
		skip "$2" "$manager_why"
	else
		is "$(grep -c -x -e "$1" "$manager/out/found")" 1 "$2" ||
			diag "$(cat "$manager"/out/[!d]*)"
	fi
}
systemd_says "enabled 2" "the units are enabled"
systemd_says "socket active" "systemd opens the socket"
systemd_says "before inactive" "and nothing runs yet"
systemd_says "first mail 250" "a client's connection starts the server, which takes its mail"
systemd_says "then active running notify" "the server says itself when it is ready"
systemd_says "status Generation 1" "and how it is"
systemd_says "front is doorstep" "its processes run as the users of sysusers.d"
systemd_says "lookup is doorstepd" "each as its own"
systemd_says "own group 1" "in the unit's control group"
# What the unit leaves of what there is: CAP_CHOWN 0 to FOWNER 3, KILL 5 to SETPCAP 8,
# NET_BIND_SERVICE 10, SYS_CHROOT 18, SYS_RESOURCE 24.
systemd_says "bounding $(printf %016x $((0x10405ef & \
	0x$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/$$/status))))" \
	"with the capabilities that the unit leaves, and no other"
systemd_says "etc read only" "/etc is read only for them"
systemd_says "reloaded Generation 2 same" "a reload is the same process with another configuration"
systemd_says "mail after a kill 250" "who connects while it is dead waits in the socket"
systemd_says "after a kill active 1" "it is started again"
systemd_says "after a hang active 2" "and so is one that hangs, by the watchdog"
systemd_says "mail after a restart 250" "mail is taken after a restart"
systemd_says "metrics 1" "metrics come by doorstep-metrics.socket"
systemd_says "stopped inactive success" "it ends as it should"
systemd_says "left 0" "and leaves no process"

# How much the units give up, in systemd's own points: more is worse.
if systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then
	ok "doorstep-lmtpd.service is no less hardened than it was" \
		systemd-analyze security --offline=true --threshold=52 \
		"$manager_units/doorstep-lmtpd.service"
	ok "nor is doorstep-metrics@.service" \
		systemd-analyze security --offline=true --threshold=20 \
		"$manager_units/doorstep-metrics@.service"
else
	skip "the units are no less hardened than they were" \
		"systemd-analyze cannot tell"
fi
