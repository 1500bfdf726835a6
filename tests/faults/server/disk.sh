# One user's disk is full.
# SPDX-License-Identifier: MIT
# Names come from ../server.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2154

conf disk <<END
$static_users
END
server_start disk
install -d -o vmail -g vmail "$mails"
small_disk "$mails/full" mode=0700,uid=61090,gid=61090,size=64k
is "$(python send "$target" 200000:full,other 10:full)" "full 452 4.3.1
other 250 2.0.0
full 250 2.0.0" "a full disk is 452 for its user alone"
is "$(stored full) $(stored other)" "1 1" "nothing partial can be seen"
is "$(cd "$mails/full" && find . -path '*/tmp/*' -type f)" "" "or is left in tmp"
fill "$mails/full"
is "$(python send "$target" 10:full,other)" "full 452 4.3.1
other 250 2.0.0" "the same when not one byte is free"
rm "$mails/full/filler"
is "$(python send "$target" 10:full)" "full 250 2.0.0" \
	"with space mail is filed again"
small_disk "$mails/nodes" mode=0700,uid=61090,gid=61090,nr_inodes=3
is "$(python send "$target" 10:nodes)" "nodes 452 4.3.1" \
	"a disk without an inode for the folder is 452"
server_stop
