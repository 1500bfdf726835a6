#!/bin/sh
# A root folder of its own with a real systemd in it, as the first process: called by
# cases/systemd.sh in new mount, process and control group namespaces.
#
#	systemd-enter.sh FOLDER     FOLDER/fill is copied over the root, FOLDER/out is
#	                            /out there; /out/drive.sh drives
#
# SPDX-License-Identifier: MIT
set -e
folder=$1
mount -t tmpfs none "$folder/disk"
mkdir "$folder/disk/upper" "$folder/disk/work" "$folder/disk/root"
root=$folder/disk/root
mount -t overlay -o "lowerdir=/,upperdir=$folder/disk/upper,workdir=$folder/disk/work" \
	overlay "$root"
mount -t proc proc "$root/proc"
# The machine's kernel is not to be set by what starts here (systemd-sysctl).
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
for small in run tmp dev; do
	mount -t tmpfs -o mode=755 none "$root/$small"
done
chmod 1777 "$root/tmp"
for device in null zero full random urandom tty; do
	: >"$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts none "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
# Version 1 has a hierarchy for systemd alone; of version 2 there is one.
mount -t tmpfs none "$root/sys/fs/cgroup"
if [ -d /sys/fs/cgroup/systemd ]; then
	mkdir "$root/sys/fs/cgroup/systemd"
	mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
else
	umount "$root/sys/fs/cgroup"
	mount -t cgroup2 none "$root/sys/fs/cgroup"
fi
# Of this machine's own units those stay that belong to systemd.
rm -rf "$root/etc/systemd/system" "$root/etc/fstab"
mkdir -p "$root/etc/systemd/system" "$root/out"
: >"$root/etc/fstab"
for unit in getty.target systemd-udevd.service systemd-udev-trigger.service \
	dbus.service dbus.socket systemd-logind.service systemd-journald.service \
	systemd-journal-flush.service systemd-timesyncd.service \
	systemd-tmpfiles-setup-dev.service systemd-sysctl.service \
	systemd-modules-load.service systemd-binfmt.service; do
	ln -s /dev/null "$root/etc/systemd/system/$unit"
done
cp -r "$folder/fill/." "$root/"
mount --bind "$folder/out" "$root/out"
cat >"$root/etc/systemd/system/drive.target" <<END
[Unit]
Wants=drive.service
AllowIsolate=yes
END
cat >"$root/etc/systemd/system/drive.service" <<END
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=120
ExecStart=/bin/sh -c 'sh /out/drive.sh >/out/found 2>/out/said'
ExecStopPost=/bin/systemctl --force exit
END
# Not merely another root: units have mounts of their own.
mount --make-rprivate /
mkdir "$root/old"
cd "$root"
pivot_root . old
umount -l old
exec env -i container=doorstep PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=drive.target --log-target=null \
	--show-status=0
