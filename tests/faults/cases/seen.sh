# The test duplicate: what was seen is remembered when the copy is on disk.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

seen_file=$home/.doorstep-seen

# Whatever is remembered, the mail is there: a second copy is discarded.  And what
# a fault has left is in nobody's way: the third delivery finds the mark.
after_fault() {
	verdict
	deliver
	verdict
	[ "$status" -eq 0 ] || echo "then again: status $status"
	[ -n "$(visible)" ] || echo "then again: discarded, and nothing is there"
	seen_before=$(visible | wc -l)
	deliver
	[ "$(visible | wc -l)" -eq "$seen_before" ] ||
		echo "a third one is no duplicate"
	[ "$(stat -c %a "$seen_file")" = 600 ] || echo "mode of the file"
}
at_each_call seen signal=KILL after_fault
harmless "kill -9 at every call: duplicates are told, and nothing is lost"
for error in EIO ENOSPC EDQUOT; do
	at_each_call seen "error=$error" after_fault \
		'openat|write|ftruncate|fchmod|fdatasync|rename|flock|newfstatat'
	harmless "$error at every call: duplicates are told, and nothing is lost"
done
