/* SPDX-License-Identifier: MIT */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/privilege.h"

#include "base/banned.h"

/* ---- capabilities ------------------------------------------------------- */

#define CAP_BIT(capability) (UINT64_C(1) << (capability))

/* Of a root that starts others: CAP_SETPCAP takes theirs away; the files of the
 * log, of base_dir and of state_dir may be anybody's. */
static const uint64_t master_capabilities =
	CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SETUID) |
	CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_SETPCAP) | CAP_BIT(CAP_KILL) |
	CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_DAC_OVERRIDE) |
	CAP_BIT(CAP_SYS_RESOURCE) | CAP_BIT(CAP_SYS_CHROOT);

struct capabilities {
	uint64_t effective, permitted, inheritable;
};

/* glibc has no function for these two calls. */
static int
read_capabilities(struct capabilities *out)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &head, data) < 0)
		return -1;
	out->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	out->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	out->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable
	                                                 << 32;
	return 0;
}

static int
set_capabilities(const struct capabilities *wanted)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	int i;

	for (i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(wanted->effective >> 32 * i),
			.permitted = (uint32_t)(wanted->permitted >> 32 * i),
			.inheritable =
				(uint32_t)(wanted->inheritable >> 32 * i)};
	return (int)syscall(SYS_capset, &head, data);
}

int
sandbox_limit_root(struct err *err)
{
	struct capabilities have;

	if (!privilege_is_root())
		return 0;
	if (read_capabilities(&have) < 0)
		return err_temp_errno(err, "4.3.0", "capget");
	have.permitted &= master_capabilities;
	have.effective = have.permitted;
	have.inheritable = 0;
	if (set_capabilities(&have) < 0)
		return err_temp_errno(err, "4.3.0", "capset");
	return 0;
}

int
sandbox_forbid_capabilities(struct err *err)
{
	int capability;

	if (!privilege_is_root())
		return 0;
	/* EINVAL: the kernel knows no more of them. */
	for (capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0;
		capability++)
		if (prctl(PR_CAPBSET_DROP, capability) < 0)
			return err_temp_errno(err, "4.3.0",
				"cannot drop capability %d", capability);
	return 0;
}

int
sandbox_keep_chroot(struct err *err)
{
	struct capabilities have;

	if (read_capabilities(&have) < 0)
		return err_temp_errno(err, "4.3.0", "capget");
	have.inheritable |= CAP_BIT(CAP_SYS_CHROOT);
	if (set_capabilities(&have) < 0 || prctl(PR_SET_KEEPCAPS, 1) < 0)
		return err_temp_errno(err, "4.3.0", "PR_SET_KEEPCAPS");
	return 0;
}

int
sandbox_pass_chroot(struct err *err)
{
	const uint64_t right = CAP_BIT(CAP_SYS_CHROOT);
	const struct capabilities only = {right, right, right};

	if (set_capabilities(&only) < 0 ||
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0,
			0) < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot hand on CAP_SYS_CHROOT");
	return 0;
}

static int
drop_capabilities(struct err *err)
{
	const struct capabilities none = {0, 0, 0};

	/* EINVAL: a kernel that has no ambient ones. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 &&
		errno != EINVAL)
		return err_temp_errno(err, "4.3.5", "PR_CAP_AMBIENT");
	if (set_capabilities(&none) < 0)
		return err_temp_errno(err, "4.3.5", "capset");
	return 0;
}

/* ---- the root ----------------------------------------------------------- */

static int
change_root(const char *path, struct err *err)
{
	struct tm now;

	/* The time zone's file is read once. */
	now = clock_local(clock_now().tv_sec);
	(void)now;
	if (chroot(path) < 0 || chdir("/") < 0)
		return err_temp_errno(
			err, "4.3.5", "cannot make %s the root", path);
	return 0;
}

/* ---- Landlock ----------------------------------------------------------- */

/* Newer than some headers. */
#define ACCESS_REFER (UINT64_C(1) << 13)     /* ABI 2, Linux 5.19 */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3, Linux 6.2 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5, Linux 6.10 */
#define NET_BIND_TCP (UINT64_C(1) << 0)      /* ABI 4, Linux 6.7 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT (UINT64_C(1) << 0) /* ABI 6, Linux 6.12 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

struct ruleset {
	uint64_t files, net, scoped;
};

enum {
	ACCESS_READ =
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	ACCESS_SPOOL = LANDLOCK_ACCESS_FS_READ_FILE |
	               LANDLOCK_ACCESS_FS_WRITE_FILE |
	               LANDLOCK_ACCESS_FS_MAKE_REG |
	               LANDLOCK_ACCESS_FS_REMOVE_FILE | (int)ACCESS_TRUNCATE,
	/* No devices, nothing to execute. */
	ACCESS_CHANGE =
		ACCESS_READ | ACCESS_SPOOL | LANDLOCK_ACCESS_FS_MAKE_DIR |
		LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		(int)ACCESS_REFER,
	ACCESS_EXECUTE_CHANGE = ACCESS_CHANGE | LANDLOCK_ACCESS_FS_EXECUTE |
	                        (int)ACCESS_IOCTL_DEV,
	/* What a rule for a file may hold. */
	ACCESS_OF_FILE = LANDLOCK_ACCESS_FS_READ_FILE |
	                 LANDLOCK_ACCESS_FS_WRITE_FILE |
	                 LANDLOCK_ACCESS_FS_EXECUTE | (int)ACCESS_TRUNCATE
};

/* 0: the kernel has none, or it is turned off (errno). */
static int
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

static uint64_t
files_of(int version)
{
	uint64_t all = (UINT64_C(1) << 13) - 1;

	if (version >= 2)
		all |= ACCESS_REFER;
	if (version >= 3)
		all |= ACCESS_TRUNCATE;
	if (version >= 5)
		all |= ACCESS_IOCTL_DEV;
	return all;
}

static int
open_ruleset(const struct sandbox_plan *plan, int version)
{
	struct ruleset ruleset = {.files = files_of(version)};
	size_t size = sizeof(ruleset.files);

	if (version >= 4) {
		size += sizeof(ruleset.net);
		if ((plan->calls & SANDBOX_INTERNET) == 0)
			ruleset.net = NET_BIND_TCP | NET_CONNECT_TCP;
	}
	if (version >= 6) {
		size += sizeof(ruleset.scoped);
		ruleset.scoped = SCOPE_SIGNAL;
		/* Name services, and the mailer of a single session. */
		if ((plan->calls & (SANDBOX_INTERNET | SANDBOX_UNIX)) == 0)
			ruleset.scoped |= SCOPE_ABSTRACT;
	}
	return (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
}

static uint64_t
access_of(enum sandbox_access access)
{
	switch (access) {
	case SANDBOX_READ:
		return ACCESS_READ;
	case SANDBOX_CHANGE:
		return ACCESS_CHANGE;
	case SANDBOX_SPOOL:
		return ACCESS_SPOOL;
	case SANDBOX_EXECUTE_CHANGE:
		return ACCESS_EXECUTE_CHANGE;
	}
	return 0;
}

/* What is not there needs no rule. */
static int
add_folder(int ruleset, const struct sandbox_folder *folder, int version,
	struct err *err)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access =
			access_of(folder->access) & files_of(version)};
	struct stat status;
	int fd = open(folder->path, O_PATH | O_CLOEXEC), result = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= ACCESS_OF_FILE;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0)
		result = err_temp_errno(
			err, "4.3.5", "Landlock refuses %s", folder->path);
	fd_close(&fd);
	return result;
}

/* A ruleset for the plan's folders; -1 with err. */
static int
make_ruleset(const struct sandbox_plan *plan, int version, struct err *err)
{
	int ruleset = open_ruleset(plan, version);
	size_t i;

	if (ruleset < 0)
		return err_temp_errno(err, "4.3.5", "Landlock");
	for (i = 0; i < plan->folder_count; i++)
		if (add_folder(ruleset, &plan->folders[i], version, err) < 0) {
			fd_close(&ruleset);
			return -1;
		}
	return ruleset;
}

/* ---- seccomp: the calls ------------------------------------------------- */

/* By name: a call that this processor, or this libseccomp, does not have is left
 * out.  Of two that do the same, both: C libraries differ. */
static const char *const always[] = {"read", "write", "readv", "writev",
	"pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2",
	"close", "close_range", "fstat", "fstat64", "lseek", "_llseek",
	/* memory */
	"mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk",
	"memfd_create", "ftruncate", "ftruncate64", "msync", "mlock", "munlock",
	/* waiting */
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6",
	"pselect6_time64", "epoll_create", "epoll_create1", "epoll_ctl",
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "futex",
	"futex_time64", "futex_wait", "futex_wake", "futex_waitv", "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64", "pause", "sched_yield",
	"restart_syscall",
	/* clocks, randomness, who am I */
	"clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "gettimeofday", "time", "times", "getrusage",
	"getrandom", "uname", "sysinfo", "getcpu", "sched_getaffinity",
	"getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid",
	"geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid",
	"getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32",
	"getpgrp", "getpgid", "getsid", "capget", "umask", "getrlimit",
	"ugetrlimit", "setrlimit",
	/* signals, threads that there are, the end */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
	"rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigsuspend",
	"sigreturn", "sigaltstack", "rseq", "set_robust_list",
	"get_robust_list", "set_tid_address", "arch_prctl", "membarrier",
	"map_shadow_stack", "exit", "exit_group",
	/* descriptors and what came with them */
	"fcntl", "fcntl64", "dup", "dup2", "dup3", "pipe", "pipe2", "sendfile",
	"sendfile64", "copy_file_range", "splice", "fadvise64", "fadvise64_64",
	"sendmsg", "sendmmsg", "recvmsg", "recvmmsg", "recvmmsg_time64",
	"sendto", "recvfrom", "send", "recv", "shutdown", "getsockopt",
	"setsockopt", "getsockname", "getpeername"};

static const char *const files[] = {"open", "openat", "access", "faccessat",
	"faccessat2", "stat", "stat64", "lstat", "lstat64", "newfstatat",
	"fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64",
	"readlink", "readlinkat", "getdents", "getdents64", "getcwd", "chdir",
	"fchdir", "flock", "readahead", "quotactl", "quotactl_fd"};

static const char *const files_change[] = {"creat", "mkdir", "mkdirat", "rmdir",
	"rename", "renameat", "renameat2", "link", "linkat", "symlink",
	"symlinkat", "unlink", "unlinkat", "truncate", "truncate64", "fsync",
	"fdatasync", "sync_file_range", "sync_file_range2", "syncfs",
	"fallocate", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown",
	"chown32", "lchown", "fchown", "fchown32", "fchownat", "utime",
	"utimes", "utimensat", "utimensat_time64", "futimesat"};

static const char *const accepting[] = {"accept", "accept4"};
static const char *const connecting[] = {"connect", "bind"};
static const char *const forking[] = {"clone", "fork", "vfork", "wait4",
	"waitid", "waitpid", "kill", "tkill", "tgkill", "pidfd_open",
	"pidfd_send_signal", "setpgid", "setsid", "alarm", "setitimer"};
static const char *const executing[] = {"execve", "execveat"};
static const char *const changing_groups[] = {"setresgid", "setresgid32"};
static const char *const timers[] = {"timer_create", "timer_settime",
	"timer_settime64", "timer_delete", "timer_gettime", "timerfd_create",
	"timerfd_settime", "alarm", "setitimer"};

/* What leak detection, maps of the process and reports of the sanitizers need. */
static const char *const sanitizing[] = {"ptrace", "clone", "fork", "wait4",
	"kill", "tkill", "tgkill", "prctl", "personality", "open", "openat",
	"readlink", "readlinkat", "stat", "lstat", "newfstatat", "statx",
	"access", "getdents64", "getcwd", "process_vm_readv", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "setrlimit", "prlimit64", "unlink", "mkdir",
	"rename", "ioctl", "fallocate", "chmod", "fchmod"};

/* Tried first by a C library or an allocator that can do without. */
static const char *const silently_missing[] = {"clone3", "openat2",
	"io_uring_setup", "mseal", "set_mempolicy", "get_mempolicy", "mbind",
	"set_mempolicy_home_node", "landlock_create_ruleset"};

/* Nobody makes these by mistake. */
static const char *const harmful[] = {"execve", "execveat", "ptrace",
	"process_vm_readv", "process_vm_writev", "kill", "tkill", "tgkill",
	"pidfd_open", "pidfd_getfd", "pidfd_send_signal", "rt_sigqueueinfo",
	"rt_tgsigqueueinfo", "socket", "bind", "listen", "connect", "mount",
	"umount2", "mount_setattr", "move_mount", "open_tree", "fsopen",
	"chroot", "pivot_root", "unshare", "setns", "setuid", "setgid",
	"setreuid", "setregid", "setresuid", "setresgid", "setfsuid",
	"setfsgid", "setgroups", "capset", "bpf", "perf_event_open",
	"userfaultfd", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "keyctl", "add_key", "request_key",
	"open_by_handle_at", "mknod", "mknodat", "fork", "vfork", "clone",
	"personality", "seccomp", "prctl", "iopl", "ioperm", "modify_ldt",
	"swapon", "reboot", "sethostname", "setdomainname", "acct", "syslog"};

/* No program that is given a message needs these. */
static const char *const barred[] = {"ptrace", "process_vm_readv",
	"process_vm_writev", "pidfd_getfd", "mount", "umount2", "mount_setattr",
	"move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
	"chroot", "pivot_root", "unshare", "setns", "bpf", "perf_event_open",
	"userfaultfd", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "keyctl", "add_key", "request_key",
	"open_by_handle_at", "iopl", "ioperm", "modify_ldt", "swapon",
	"swapoff", "reboot", "sethostname", "setdomainname", "acct", "syslog",
	"io_uring_setup", "io_uring_enter", "io_uring_register", "kcmp",
	"quotactl", "settimeofday", "clock_settime", "adjtimex",
	"clock_adjtime", "vhangup", "lookup_dcookie", "nfsservctl"};

/* ---- seccomp: a call that is refused ------------------------------------ */

enum { CALLS_MAX = 1024 };

/* The only way into a signal handler. */
static struct {
	enum sandbox_refusal refusal;
	bool is_at_it; /* what the log needs must not come here again */
	unsigned char is_harmful[CALLS_MAX / 8];
	unsigned char was_told[CALLS_MAX / 8];
} trap;

static bool
has_bit(const unsigned char *bits, int number)
{
	return number >= 0 && number < CALLS_MAX &&
	       (bits[number / 8] >> number % 8 & 1) != 0;
}

static void
set_bit(unsigned char *bits, int number)
{
	if (number >= 0 && number < CALLS_MAX)
		bits[number / 8] |= (unsigned char)(1U << number % 8);
}

/* False: this processor's registers are not known here. */
static bool
set_result(ucontext_t *context, int error)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = -error;
	return true;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long long)-error;
	return true;
#else
	(void)context;
	(void)error;
	return false;
#endif
}

NO_RETURN static void
end_by_signal(void)
{
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
	_exit(128 + SIGSYS);
}

/* Once for each call. */
static void
tell_refused(int number, bool is_the_end)
{
	char *name;

	if (has_bit(trap.was_told, number) && !is_the_end)
		return;
	set_bit(trap.was_told, number);
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	log_error("the sandbox refused the system call %s (%d)%s",
		name != NULL ? name : "of a newer kernel", number,
		is_the_end ? "; the process ends" : "");
}

/* The call was not made; it is the one that the process is in, so nothing of ours
 * was interrupted. */
static void
refused(int signal_number, siginfo_t *info, void *context)
{
	int number = info->si_syscall, reason = errno;
	bool is_bad = has_bit(trap.is_harmful, number);
	bool is_the_end = is_bad && trap.refusal == SANDBOX_ENDS;

	(void)signal_number;
	if (!trap.is_at_it) {
		trap.is_at_it = true;
		tell_refused(number, is_the_end);
		trap.is_at_it = false;
	}
	if (is_the_end || !set_result(context, is_bad ? EPERM : ENOSYS))
		end_by_signal();
	errno = reason;
}

static int
catch_refused(enum sandbox_refusal refusal)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
	size_t i;

	memset(&trap, 0, sizeof(trap));
	trap.refusal = refusal;
	for (i = 0; i < ARRAY_LENGTH(harmful); i++)
		set_bit(trap.is_harmful,
			seccomp_syscall_resolve_name(harmful[i]));
	action.sa_sigaction = refused;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL);
}

/* ---- seccomp: the filter ------------------------------------------------ */

/* A filter that is being made; after the first error nothing is added. */
struct filter {
	scmp_filter_ctx context;
	int error; /* of errno; 0 = none */
};

static void
keep_error(struct filter *filter, int result)
{
	if (result < 0 && filter->error == 0)
		filter->error = -result;
}

static void
add(struct filter *filter, uint32_t action, const char *name)
{
	int number = seccomp_syscall_resolve_name(name), result;

	if (number < 0)
		return;
	result = seccomp_rule_add_array(
		filter->context, action, number, 0, NULL);
	/* It stands in two lists. */
	if (result != -EEXIST)
		keep_error(filter, result);
}

static void
add_list(struct filter *filter, uint32_t action, const char *const *names,
	size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		add(filter, action, names[i]);
}

#define ALLOW(filter, names)                                                   \
	add_list(filter, SCMP_ACT_ALLOW, names, ARRAY_LENGTH(names))

/* Allowed where one argument, or some bits of it, are `value`. */
static void
allow_if(struct filter *filter, const char *name, struct scmp_arg_cmp test)
{
	int number = seccomp_syscall_resolve_name(name), result;

	if (number < 0)
		return;
	result = seccomp_rule_add_array(
		filter->context, SCMP_ACT_ALLOW, number, 1, &test);
	if (result != -EEXIST)
		keep_error(filter, result);
}

static void
allow_values(struct filter *filter, const char *name, unsigned argument,
	const uint64_t *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		allow_if(filter, name,
			SCMP_CMP(argument, SCMP_CMP_EQ, values[i]));
}

/* How much waits to be read or to be sent, is it a terminal, do not block. */
static void
allow_ioctls(struct filter *filter)
{
	static const uint64_t requests[] = {
		FIONREAD, SIOCOUTQ, TCGETS, FIONBIO, FIOCLEX, FIONCLEX};

	allow_values(filter, "ioctl", 1, requests, ARRAY_LENGTH(requests));
}

/* Names of threads and of memory; questions that change nothing. */
static void
allow_prctls(struct filter *filter)
{
	static const uint64_t options[] = {PR_SET_NAME, PR_GET_NAME,
		PR_GET_DUMPABLE, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS,
		PR_GET_SECCOMP, PR_GET_SECUREBITS, 0x53564d41 /* PR_SET_VMA */};

	allow_values(filter, "prctl", 0, options, ARRAY_LENGTH(options));
}

/* abort() in this process; limits of this one. */
static void
allow_itself(struct filter *filter)
{
	const uint64_t self = (uint64_t)clock_pid();

	allow_if(filter, "tgkill", SCMP_CMP(0, SCMP_CMP_EQ, self));
	allow_if(filter, "prlimit64", SCMP_CMP(0, SCMP_CMP_EQ, 0));
	allow_if(filter, "prlimit64", SCMP_CMP(0, SCMP_CMP_EQ, self));
}

static void
allow_sockets(struct filter *filter, const uint64_t *families, size_t count)
{
	allow_values(filter, "socket", 0, families, count);
	allow_values(filter, "socketpair", 0, families, count);
	ALLOW(filter, connecting);
}

static void
allow_network(struct filter *filter, unsigned calls)
{
	static const uint64_t here[] = {AF_UNIX};
	static const uint64_t anywhere[] = {AF_INET, AF_INET6, AF_NETLINK};

	if (calls & SANDBOX_ACCEPT)
		ALLOW(filter, accepting);
	if (calls & SANDBOX_UNIX)
		allow_sockets(filter, here, ARRAY_LENGTH(here));
	if (calls & SANDBOX_INTERNET)
		allow_sockets(filter, anywhere, ARRAY_LENGTH(anywhere));
}

static void
allow_children(struct filter *filter, unsigned calls)
{
	if (calls & SANDBOX_FORK)
		ALLOW(filter, forking);
	else if (calls & SANDBOX_THREADS)
		allow_if(filter, "clone",
			SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD,
				CLONE_THREAD));
	/* Of itself, and only downwards. */
	if (calls & SANDBOX_THREADS)
		allow_if(filter, "setpriority", SCMP_CMP(1, SCMP_CMP_EQ, 0));
	if (calls & SANDBOX_EXECUTE)
		ALLOW(filter, executing);
}

static void
allow_calls(struct filter *filter, unsigned calls)
{
	ALLOW(filter, always);
	allow_ioctls(filter);
	allow_prctls(filter);
	allow_itself(filter);
	if (calls & SANDBOX_FILES)
		ALLOW(filter, files);
	if (calls & SANDBOX_FILES_CHANGE)
		ALLOW(filter, files_change);
	if (calls & SANDBOX_GROUPS)
		ALLOW(filter, changing_groups);
	if (calls & SANDBOX_TIMERS)
		ALLOW(filter, timers);
	allow_network(filter, calls);
	allow_children(filter, calls);
	if (SANDBOX_IS_RELAXED)
		ALLOW(filter, sanitizing);
	add_list(filter, SCMP_ACT_ERRNO(ENOSYS), silently_missing,
		ARRAY_LENGTH(silently_missing));
}

static void
set_attributes(struct filter *filter)
{
	/* The same calls by the numbers of another processor. */
	keep_error(filter,
		seccomp_attr_set(filter->context, SCMP_FLTATR_ACT_BADARCH,
			SCMP_ACT_KILL_PROCESS));
	/* We have one of our own, and of somebody's who came before. */
	keep_error(filter,
		seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_NNP, 1));
	/* A tree; libraries before 2.5 do not know it. */
	(void)seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_SSB, 1);
}

static int
restrict_calls(const struct sandbox_plan *plan, struct err *err)
{
	struct filter filter = {.context = seccomp_init(SCMP_ACT_TRAP)};

	if (filter.context == NULL)
		return err_temp(err, "4.3.5", "seccomp: no filter can be made");
	set_attributes(&filter);
	allow_calls(&filter, plan->calls);
	if (catch_refused(plan->refusal) < 0)
		filter.error = errno;
	if (filter.error == 0)
		keep_error(&filter, seccomp_load(filter.context));
	seccomp_release(filter.context);
	if (filter.error == 0)
		return 0;
	errno = filter.error;
	return err_temp_errno(err, "4.3.5", "seccomp");
}

/* Programs go on with whatever else there is, so the list is of what they may
 * not. */
static int
bar_calls(struct err *err)
{
	struct filter filter = {.context = seccomp_init(SCMP_ACT_ALLOW)};

	if (filter.context == NULL)
		return err_temp(err, "4.3.5", "seccomp: no filter can be made");
	set_attributes(&filter);
	add_list(&filter, SCMP_ACT_ERRNO(EPERM), barred, ARRAY_LENGTH(barred));
	if (filter.error == 0)
		keep_error(&filter, seccomp_load(filter.context));
	seccomp_release(filter.context);
	if (filter.error == 0)
		return 0;
	errno = filter.error;
	return err_temp_errno(err, "4.3.5", "seccomp");
}

/* ---- the whole ---------------------------------------------------------- */

const char *
sandbox_find_missing(struct arena *arena)
{
	uint32_t action = SCMP_ACT_TRAP;

#ifdef SECCOMP_GET_ACTION_AVAIL
	action = SECCOMP_RET_TRAP;
#endif
	if (syscall(SYS_seccomp, 2U /* SECCOMP_GET_ACTION_AVAIL */, 0,
		    &action) < 0)
		return arena_format(arena,
			"seccomp filters (Linux 4.14 or newer): %s",
			strerror(errno));
	if (!SANDBOX_IS_RELAXED && landlock_version() == 0)
		return arena_format(arena,
			"Landlock (Linux 5.19 or newer, and \"landlock\" in "
			"the kernel's lsm= list): %s",
			strerror(errno));
	return NULL;
}

/* What has been taken away so far, in words. */
struct taking {
	const struct sandbox_plan *plan;
	struct buf words;
	int ruleset; /* of Landlock; -1: none */
};

static void
add_word(struct taking *taking, const char *word)
{
	if (taking->words.len > 0)
		buf_add(&taking->words, STR(", "));
	buf_add(&taking->words, str_from(word));
}

/* The step did not work: an error, or a warning. */
static int
miss(const struct taking *taking, const struct err *err)
{
	if (taking->plan->is_required)
		return -1;
	log_warning("%s goes on without a part of its sandbox (sandbox = "
		    "optional): %s",
		taking->plan->name, err_log_text(err));
	return 0;
}

static int
take_root(struct taking *taking, struct err *err)
{
	if (taking->plan->root == NULL || SANDBOX_IS_RELAXED)
		return 0;
	if (change_root(taking->plan->root, err) < 0)
		return miss(taking, err);
	add_word(taking, "empty root");
	return 0;
}

static int
take_capabilities(struct taking *taking, struct err *err)
{
	if (drop_capabilities(err) < 0)
		return -1;
	add_word(taking, "no capabilities");
	/* Others of the same uid may not look into our memory. */
	if (!SANDBOX_IS_RELAXED && !taking->plan->dumps_core &&
		prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_temp_errno(err, "4.3.5", "PR_SET_DUMPABLE");
	return 0;
}

static int
take_new_privileges(struct taking *taking, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		err_temp_errno(err, "4.3.5", "PR_SET_NO_NEW_PRIVS");
		return miss(taking, err);
	}
	add_word(taking, "no new privileges");
	return 0;
}

/* Renaming from one folder to another is never allowed before version 2. */
static bool
can_rename(const struct taking *taking, int version)
{
	size_t i;

	if (version >= 2)
		return true;
	for (i = 0; i < taking->plan->folder_count; i++)
		if (taking->plan->folders[i].access == SANDBOX_CHANGE ||
			taking->plan->folders[i].access ==
				SANDBOX_EXECUTE_CHANGE)
			return false;
	return true;
}

/* Folders have their names only as long as the root is the system's. */
static int
find_files(struct taking *taking, struct err *err)
{
	int version = landlock_version();

	if (SANDBOX_IS_RELAXED)
		return 0;
	if (version == 0 || !can_rename(taking, version)) {
		err_temp(err, "4.3.5",
			version == 0
				? "the kernel has no Landlock"
				: "the kernel's Landlock forbids to rename a "
				  "file to another folder (before Linux 5.19)");
		return miss(taking, err);
	}
	taking->ruleset = make_ruleset(taking->plan, version, err);
	return taking->ruleset < 0 ? miss(taking, err) : 0;
}

static int
take_files(struct taking *taking, struct err *err)
{
	if (taking->ruleset < 0)
		return 0;
	if (syscall(SYS_landlock_restrict_self, taking->ruleset, 0) < 0) {
		err_temp_errno(err, "4.3.5", "Landlock");
		return miss(taking, err);
	}
	fd_close(&taking->ruleset);
	add_word(taking, "Landlock");
	return 0;
}

static int
take_calls(struct taking *taking, struct err *err)
{
	if (restrict_calls(taking->plan, err) < 0)
		return miss(taking, err);
	add_word(taking, "seccomp");
	return 0;
}

static int
take_programs_calls(struct taking *taking, struct err *err)
{
	if (bar_calls(err) < 0)
		return miss(taking, err);
	add_word(taking, "seccomp");
	return 0;
}

static void
end_taking(struct taking *taking, struct arena *arena, const char **words_out)
{
	*words_out = arena_text(arena, buf_view(&taking->words));
	buf_clear(&taking->words);
	fd_close(&taking->ruleset);
}

int
sandbox_enter(struct arena *arena, const struct sandbox_plan *plan,
	const char **words_out, struct err *err)
{
	struct taking taking = {.plan = plan, .ruleset = -1};
	int result = -1;

	buf_init(&taking.words, 1024);
	if (find_files(&taking, err) == 0 && take_root(&taking, err) == 0 &&
		take_capabilities(&taking, err) == 0 &&
		take_new_privileges(&taking, err) == 0 &&
		take_files(&taking, err) == 0 && take_calls(&taking, err) == 0)
		result = 0;
	end_taking(&taking, arena, words_out);
	return result;
}

static int
take_for_programs(
	struct taking *taking, enum sandbox_programs programs, struct err *err)
{
	if (take_capabilities(taking, err) < 0)
		return -1;
	if (programs == SANDBOX_PROGRAMS_ANY)
		return 0;
	if (find_files(taking, err) < 0 ||
		take_new_privileges(taking, err) < 0 ||
		take_files(taking, err) < 0)
		return -1;
	return take_programs_calls(taking, err);
}

int
sandbox_enter_for_programs(struct arena *arena, const struct sandbox_plan *plan,
	enum sandbox_programs programs, const char **words_out, struct err *err)
{
	static const struct sandbox_folder everywhere = {
		"/", SANDBOX_EXECUTE_CHANGE};
	/* They may speak with anybody, but signal nobody. */
	const struct sandbox_plan wanted = {.name = plan->name,
		.calls = SANDBOX_INTERNET | SANDBOX_UNIX,
		.folders = &everywhere,
		.folder_count = 1,
		.is_required = plan->is_required,
		.dumps_core = plan->dumps_core};
	struct taking taking = {.plan = &wanted, .ruleset = -1};
	int result;

	buf_init(&taking.words, 1024);
	result = take_for_programs(&taking, programs, err);
	end_taking(&taking, arena, words_out);
	return result;
}
