# mta.sh - a mail server that this machine cannot have installed
#
#	machine_enter "$@"
#	. "$TEST_SOURCE/tests/lib/tap.sh"
#	mta_unpack exim4-daemon-light
#	machine_begin
#
# Debian has one mail server on a machine.  scripts/deps has fetched the packages of
# the others; they are unpacked into a tmpfs and laid over /usr and /etc of a
# private machine (tests/lib/machine.sh).  Its /var/spool, /var/log and /run
# are empty ones.  No script of a package is run: users and folders are the test's to make.
#
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

# mta_mount POINT ARGUMENT...
mta_mount() {
	mta_point=$1
	shift
	mount "$@" "$mta_point" || skip_all "cannot mount $mta_point here"
	at_end "umount -l $mta_point"
}

# mta_unpack PACKAGE: as scripts/deps names it; what it needs comes with it.
mta_unpack() {
	mta_debs=$("$TEST_SOURCE/scripts/deps" --mtas)/$1
	[ -d "$mta_debs" ] || skip_all "no $mta_debs here: run scripts/deps"
	umask 022
	chmod 755 "$TEST_WORK"
	mta_root=$TEST_WORK/mta
	mkdir "$mta_root"
	mta_mount "$mta_root" -t tmpfs -o mode=755 tmpfs
	mkdir -p "$mta_root/usr/lib" "$mta_root/usr/bin" "$mta_root/usr/sbin" \
		"$mta_root/etc"
	# A package's /lib is the one below /usr, as on a system.
	for mta_folder in lib bin sbin; do
		ln -s "usr/$mta_folder" "$mta_root/$mta_folder"
	done
	for mta_deb in "$mta_debs"/*.deb; do
		dpkg-deb -x "$mta_deb" "$mta_root" || bail_out "cannot unpack $mta_deb"
	done
	for mta_folder in usr etc; do
		mkdir -p "$mta_root/upper/$mta_folder" "$mta_root/work/$mta_folder"
		mta_mount /$mta_folder -t overlay -o "lowerdir=$mta_root/$mta_folder:/$mta_folder,upperdir=$mta_root/upper/$mta_folder,workdir=$mta_root/work/$mta_folder" overlay
	done
	for mta_folder in /var/spool /var/log /run; do
		mta_mount $mta_folder -t tmpfs -o mode=755 tmpfs
	done
}
