#!/bin/sh
# quota = fs asks the real kernel, on a file system that is made for it.
#
# Needs root, a loop device, mkfs.ext4 and a kernel with CONFIG_QFMT_V2.
#
# SPDX-License-Identifier: MIT
TEST_SOURCE=${TEST_SOURCE:-$(realpath "$(dirname "$0")/../..")}
export TEST_SOURCE
. "$TEST_SOURCE/tests/lib/machine.sh"
machine_enter "$@"
. "$TEST_SOURCE/tests/lib/tap.sh"
. "$TEST_SOURCE/tests/lda/lda.sh"

command -v mkfs.ext4 >/dev/null || skip_all "mkfs.ext4 is missing"
truncate -s 64M disk
mkfs.ext4 -q -O quota -E quotatype=usrquota:grpquota disk >said 2>&1 ||
	skip_all "mkfs.ext4 knows no quota: $(tr '\n' ' ' <said)"
mount -o loop disk "$home" 2>said ||
	skip_all "no file system with a quota can be mounted here (does the \
kernel have CONFIG_QFMT_V2?): $(tr '\n' ' ' <said)"
at_end "umount -l $home"
chown "$lda_uid:$lda_uid" "$home"
cat >>"$conf" <<END
log_path = $TEST_WORK/log
quota = fs:Disk:inode_per_mail
quota_rule = ?:storage=0
quota_grace = 0
END
touch log
chown "$lda_uid" log

# limit USER|GROUP KIB FILES: of the user, by quotactl(Q_SETQUOTA).
limit() {
	python3 - "$(findmnt -no SOURCE "$home")" "$lda_uid" "$@" <<'END'
import ctypes
import os
import struct
import sys
device, uid, kind, kib, files = sys.argv[1:6]
libc = ctypes.CDLL(None, use_errno=True)
# struct dqblk of sys/quota.h: hard and soft limit of blocks, use, the same of
# files, two times, what is valid (QIF_LIMITS)
block = struct.pack("QQQQQQQQI", 0, int(kib), 0, 0, int(files), 0, 0, 0, 1 | 4)
command = ctypes.c_int(0x800008 << 8 | (kind == "group")).value
if libc.quotactl(command, device.encode(), int(uid), block) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
END
}
head -c 30000 /dev/zero | tr '\0' x >text
{ printf 'Subject: x\n\n'; cat text; echo; } >big

input=big
lda -e
is "$status:$(count)" 0:1 "without a limit there is room"
ok "a limit of the user" limit user 1000 0
lda -e
is "$status:$(count)" 0:2 "below it there is room"
limit user 35 0
lda -e
is "$status:$(count)" 77:2 "above it there is none"
like "$err" "5.2.2 Quota exceeded*" "and says why"
lda -e -o quota_rule="*:storage=1M"
is "$status:$(count)" 0:3 "a rule for all folders comes before it"
limit user 0 0
limit group 0 3
lda -e
is "$status" 77 "a limit of the group's files counts messages"
limit group 0 0
lda -e
is "$status" 0 "nothing is left of it"
done_testing
