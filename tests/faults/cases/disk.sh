# Disks too small at any step, by blocks and by inodes.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

# small OPTIONS: puts the home of the scene on a file system of that size; fails
# when not even the user's script fits.
small() {
	rm -rf "$TEST_WORK/kept"
	cp -a "$home" "$TEST_WORK/kept"
	mount -t tmpfs -o "mode=0700,uid=61020,gid=61020,$1" none "$home" ||
		bail_out "cannot mount a small disk"
	cp -a "$TEST_WORK/kept/." "$home" 2>/dev/null && return
	umount "$home"
	return 1
}
harm=
faults=0
fitted=0
for size in 2 3 4 5 6 7 8 9 10 12 16; do
	for inodes in 3 4 5 6 7 8 10 12 14 16 18 30; do
		scene fresh
		small "size=$((size * 4096)),nr_inodes=$inodes" || continue
		deliver
		faults=$((faults + 1))
		[ "$status" -ne 0 ] || fitted=$((fitted + 1))
		case $status in
		0 | 75 | 77)
			result=$(
				verdict
				leftovers
			)
			;;
		*) result="status $status" ;;
		esac
		[ -z "$result" ] || harm="$harm
$size pages, $inodes inodes: $result"
		umount "$home"
	done
done
harmless "a disk that becomes full at any step"
ok "some of these disks were large enough" test $fitted -gt 0
ok "and some were not" test $fitted -lt $faults

scene large
small size=64k
deliver
like "$status" "7[57]" "a message longer than the disk is not taken"
like "$(cat "$TEST_WORK/output")" "*4.3.1 *" "and the reason has its status"
is "$(visible)$(leftovers)" "" "nothing of it stays"
umount "$home"

# The message is longer than memory should hold, and the place for it is full.
scene large
mkdir "$TEST_WORK/spool"
mount -t tmpfs -o mode=1777,size=64k none "$TEST_WORK/spool"
override=mail_temp_dir=$TEST_WORK/spool
deliver
umount "$TEST_WORK/spool"
is "$status $(verdict)" "75 " "a full mail_temp_dir: exit 75"
