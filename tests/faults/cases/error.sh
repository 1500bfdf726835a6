# Each system call fails once.
# SPDX-License-Identifier: MIT
# Names come from ../fault.sh; no path of a test has a blank.
# shellcheck shell=sh disable=SC2034,SC2046,SC2154

after_error() {
	case $status in
	0 | 75 | 77) ;;
	*) echo "status $status: $(tail -n 1 "$TEST_WORK/output")" ;;
	esac
	verdict
	leftovers
}
writing='write|writev|pwrite64|fsync|fdatasync|copy_file_range|sendfile|ftruncate'
naming='rename|renameat|renameat2|link|linkat|mkdir|mkdirat'
opening='open|openat'
reading='read|pread64|readv|lseek|mmap|fstat|stat|lstat|newfstatat|statx|getdents64'

for name in plain fresh large; do
	at_each_call $name error=ENOSPC after_error "$writing|$naming|$opening"
	harmless "a full disk at any call: $name"
	at_each_call $name error=EIO after_error "$writing|$naming|$opening|$reading|close"
	harmless "an I/O error at any call: $name"
done
at_each_call fresh error=EDQUOT after_error "$writing|$naming|$opening"
harmless "no quota left at any call"
at_each_call fresh error=EACCES after_error "$naming|$opening|$reading"
harmless "no permission at any call"
at_each_call fresh error=EMFILE after_error "$opening"
harmless "no descriptor left at any call"
at_each_call fresh error=ENOMEM after_error "mmap|brk|$opening"
harmless "no memory left at any call"
at_each_call fresh error=EINTR after_error "$writing|$opening|$reading"
harmless "an interruption at any call"
