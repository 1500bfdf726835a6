/* SPDX-License-Identifier: MIT */
#include "server/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/channel.h"
#include "server/child.h"

#include "base/banned.h"

/* Out of the way of what dup2() overwrites. */
enum { PROGRAM_FD_LEAST = 10 };

/* Time zone, what the C library and tools for finding faults read; nothing that
 * an admin's shell happened to have. */
static const char *const kept[] = {"TZ", "LANG", "LC_ALL", "LC_CTYPE",
	"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
	"GCOV_PREFIX", "GCOV_PREFIX_STRIP", "LLVM_PROFILE_FILE",
	"MALLOC_PERTURB_"};

static char *const *
make_environment(struct arena *arena)
{
	char **environment = ARENA_ARRAY(arena, char *, ARRAY_LENGTH(kept) + 2);
	size_t i, count = 0;

	environment[count++] =
		arena_text(arena, STR("PATH=/usr/sbin:/usr/bin:/sbin:/bin"));
	for (i = 0; i < ARRAY_LENGTH(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value != NULL)
			environment[count++] =
				arena_format(arena, "%s=%s", kept[i], value);
	}
	return environment;
}

int
spawner_open(struct arena *arena, struct spawner *spawner_out, struct err *err)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_temp_errno(err, "4.3.0",
			"cannot open this program (/proc/self/exe)");
	spawner_out->program = fcntl(fd, F_DUPFD_CLOEXEC, PROGRAM_FD_LEAST);
	fd_close(&fd);
	if (spawner_out->program < 0)
		return err_temp_errno(err, "4.3.0", "dup");
	spawner_out->environment = make_environment(arena);
	return 0;
}

void
spawner_close(struct spawner *spawner)
{
	fd_close(&spawner->program);
}

void
spawn_raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("cannot raise the limit of open files: %s",
			strerror(errno));
}

/* ---- in the forked child ---- */

/* Root may raise the hard limit; others get as much as it allows. */
static void
limit_descriptors(const struct spawn_order *order)
{
	struct rlimit limit, more = {order->descriptors, order->descriptors};

	if (order->descriptors == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_max < order->descriptors) {
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
		more = (struct rlimit){limit.rlim_max, limit.rlim_max};
	} else {
		more.rlim_max = limit.rlim_max;
	}
	if (more.rlim_cur < order->descriptors_least)
		log_warning("a %s process may open only %llu files and can "
			    "need %llu: raise the limit (LimitNOFILE, ulimit "
			    "-n)",
			child_kind_name(order->kind),
			(unsigned long long)more.rlim_cur,
			(unsigned long long)order->descriptors_least);
	if (setrlimit(RLIMIT_NOFILE, &more) < 0)
		log_warning("setrlimit: %s", strerror(errno));
}

static int
limit_memory(uint64_t bytes, struct err *err)
{
	const struct rlimit limit = {bytes, bytes};

	if (bytes > 0 && setrlimit(RLIMIT_AS, &limit) < 0)
		return err_temp_errno(err, "4.3.5", "vsz_limit");
	return 0;
}

/* What is ignored stays so over exec: no signal of the terminal can meet the
 * child before it says so itself. */
static void
set_signals(void)
{
	sigset_t none;

	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
set_descriptors(int channel, struct err *err)
{
	if (channel == CHILD_MASTER_FD) {
		if (fcntl(channel, F_SETFD, 0) < 0)
			return err_temp_errno(err, "4.3.0", "fcntl");
	} else if (dup2(channel, CHILD_MASTER_FD) < 0) {
		return err_temp_errno(err, "4.3.0", "dup2");
	}
	/* The program itself is still to be executed. */
	if (close_range(CHILD_MASTER_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return err_temp_errno(err, "4.3.0", "close_range");
	return 0;
}

/* Root's rights go with its uid, apart from the one that is asked for. */
static int
take_identity(const struct spawn_order *order, struct err *err)
{
	if (order->identity == NULL)
		return 0;
	if ((order->changes_root && sandbox_keep_chroot(err) < 0) ||
		(order->gains_nothing &&
			sandbox_forbid_capabilities(err) < 0) ||
		privilege_become_for_program(order->identity, err) < 0)
		return -1;
	return order->changes_root ? sandbox_pass_chroot(err) : 0;
}

static int
execute(const struct spawner *spawner, enum wire_kind kind, struct err *err)
{
	char option[32];
	char name[] = "doorstep-lmtpd";
	char *const arguments[] = {name, option, NULL};

	snprintf(option, sizeof(option), "--child=%s", child_kind_name(kind));
	fexecve(spawner->program, arguments, spawner->environment);
	return err_temp_errno(err, "4.3.0", "cannot execute this program");
}

NO_RETURN static void
be_child(const struct spawner *spawner, const struct spawn_order *order,
	int channel)
{
	struct err err;

	err_clear(&err);
	set_signals();
	limit_descriptors(order);
	if (take_identity(order, &err) == 0 &&
		limit_memory(order->memory, &err) == 0 &&
		set_descriptors(channel, &err) == 0)
		(void)!execute(spawner, order->kind, &err);
	log_error("cannot start a %s process: %s", child_kind_name(order->kind),
		err_log_text(&err));
	_exit(SPAWN_EXIT_FAILED);
}

/* ---- in master ---- */

int
spawn(const struct spawner *spawner, const struct spawn_order *order,
	pid_t *pid_out, int *channel_out, struct err *err)
{
	int ends[2];
	pid_t pid;

	if (channel_pair(ends) < 0)
		return err_temp_errno(err, "4.3.0", "socketpair");
	pid = fork();
	if (pid == 0)
		be_child(spawner, order, ends[1]);
	fd_close(&ends[1]);
	if (pid < 0) {
		err_temp_errno(err, "4.3.0", "fork");
		fd_close(&ends[0]);
		return -1;
	}
	*pid_out = pid;
	*channel_out = ends[0];
	return 0;
}
