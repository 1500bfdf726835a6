# Started as root the program becomes the recipient before it touches anything
# of the recipient's.
# SPDX-License-Identifier: MIT
# Names come from ../users.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

machine_user ines 61010
echo "extra:x:61500:ines" >>/etc/group
home=$TEST_WORK/home/ines
echo 'keep;' | script ines
message "As root" >sent

ok "root delivers with -d" strace -f -o trace \
	"$lda" -c "$TEST_WORK/system.conf" -f ada@client.example -d ines -p sent
is "$(count ines)" 1 "the mail is there"
is "$(stat -c '%U %G' $(files ines))" "ines ines" "it belongs to the user"
last=$(grep -nE 'setresuid(32)?\(61010, 61010, 61010\) *= 0' trace |
	head -n 1 | cut -d: -f1)
touch_home=$(grep -nE "(open|openat|mkdir|stat|newfstatat|access|readlink|chdir|statx|link|linkat|rename)[a-z0-9]*\(.*\"$home" \
	trace | head -n 1 | cut -d: -f1)
ok "all three user ids are set" test -n "$last"
ok "before anything of the home is looked at" \
	test "${last:-999999}" -lt "${touch_home:-0}"
like "$(grep -E 'setgroups(32)?\(' trace)" "*61500*" \
	"the user's further groups are taken"
unlike "$(grep -E 'setgroups(32)?\(' trace)" "*[[ ]0[], ]*" \
	"root's group is not"
like "$(grep -E 'setresgid(32)?\(' trace)" \
	"*setresgid(61010, 61010, 61010)*= 0*" "all three group ids are set"
like "$(grep -E 'set(res|re)?uid(32)?\((0|-1, 0|0, 0)' trace)" "*EPERM*" \
	"that root cannot be had back is tried"

exits 64 "root without -d is told how to use it" \
	"$lda" -c "$TEST_WORK/system.conf" -f ada@client.example -p sent
"$lda" -c "$TEST_WORK/system.conf" -d root -p sent >/dev/null 2>&1
status=$?
ok "mail for root is refused" test $status -ne 0
is "$(find /root/Maildir -newer sent -type f 2>/dev/null | wc -l)" 0 \
	"and nothing of it is written"

"$lda" -c "$TEST_WORK/virtual.conf" -d zero@$domain -p sent >/dev/null 2>&1
ok "uid 0 from a user database is refused" test $? -ne 0
is "$(count zero@$domain)" 0 "and nothing is written"

# The user's script is a link to a file only root may read.
echo 'require "fileinto"; fileinto "Stolen";' >"$TEST_WORK/secret"
chmod 600 "$TEST_WORK/secret"
ln -sf "$TEST_WORK/secret" "$home/.dovecot.sieve"
"$lda" -c "$TEST_WORK/system.conf" -d ines -p sent >/dev/null 2>&1
is "$(count ines .Stolen)" 0 "a link to root's file gives no right to it"
rm -f sent trace
