# Homes that cannot be used.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# refused_for_now NAME
refused_for_now() {
	deliver
	chmod 700 "$home"
	is "$status" 75 "$1: exit 75"
	is "$(visible)" "" "$1: nothing is filed"
	like "$(cat "$TEST_WORK/output")" "*Error:*" "$1: the log says why"
}
scene plain
chmod 0 "$home"
refused_for_now "a home that nobody may enter"
scene plain
chown root "$home"
refused_for_now "a home of another user"
chown victim "$home"
scene plain
chmod 500 "$home/Maildir/tmp"
refused_for_now "a tmp folder that cannot be written"
scene plain
rm -rf "$home/Maildir"
echo text >"$home/Maildir"
refused_for_now "a file in place of the Maildir"
scene plain
chmod 000 "$home/Maildir/new"
deliver
chmod 700 "$home/Maildir/new"
is "$status $(visible)" "75 " "a new folder that cannot be entered: exit 75"
scene fresh
chown root "$home/.dovecot.sieve"
chmod 600 "$home/.dovecot.sieve"
deliver
is "$status $(verdict)" "75 " \
	"a script that cannot be read is not the same as none"
scene plain
mount --bind "$home" "$home"
mount -o remount,bind,ro "$home"
deliver
umount "$home"
is "$status $(visible)" "75 " "a read-only disk: exit 75"
rm -rf "$home"
deliver
like "$status" 75 "a home that is not there is not made in /"
