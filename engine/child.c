/* SPDX-License-Identifier: MIT */
#include "engine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/number.h"

#include "base/banned.h"

enum {
	PIPE_FD = 3, /* in the child, beside the three standard ones */
	CHUNK_BYTES = 4096,
	STATM_BYTES = 256,
	LONGEST_WAIT_MS = 60000 /* of one poll() */
};

/* ---- the child ---- */

/* Bytes of address space that we have now, which the child begins with.  0 where
 * there is no /proc. */
static uint64_t
address_space(void)
{
	struct buf text;
	struct str rest, pages;
	uint64_t count = 0;

	buf_init(&text, STATM_BYTES);
	if (fd_read_file("/proc/self/statm", &text) == 0) {
		rest = buf_view(&text);
		if (str_next_word(&rest, &pages) &&
			number_parse(pages, &count) < 0)
			count = 0;
	}
	buf_clear(&text);
	return count * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
limit(int resource, uint64_t most)
{
	/* Of CPU time the soft limit ends a process with a signal that says so. */
	const struct rlimit limit = {.rlim_cur = most,
		.rlim_max = resource == RLIMIT_CPU ? most + 1 : most};

	/* One that cannot be set was lower before: that is a limit, too. */
	(void)setrlimit((unsigned)resource, &limit);
}

static void
set_limits(const struct child_limits *limits, uint64_t space)
{
	/* Without /proc the sum is a guess, but still a limit. */
	limit(RLIMIT_AS,
		limits->memory + (space > 0 ? space : (uint64_t)1 << 30));
	limit(RLIMIT_CPU, limits->cpu_s);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, PIPE_FD + 1);
}

/* In the parent's place signals may be ignored or blocked. */
static void
reset_signals(void)
{
	sigset_t none;
	int number;

	for (number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0, 1 and 2 are /dev/null, 3 is the pipe, others are closed. */
static void
keep_only_pipe(struct child *child, long descriptors)
{
	int null, fd;

	null = open("/dev/null", O_RDWR);
	for (fd = 0; fd < PIPE_FD; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (child->pipe != PIPE_FD)
		dup2(child->pipe, PIPE_FD);
	child->pipe = PIPE_FD;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, PIPE_FD + 1U, ~0U, 0) == 0)
		return;
#endif
	for (fd = PIPE_FD + 1; fd < descriptors; fd++)
		close(fd);
}

static void
become_child(struct child *child, const struct child_limits *limits,
	uint64_t space, long descriptors)
{
	reset_signals();
	/* Should the parent die, nobody else ends a child that sleeps. */
	alarm((unsigned)(limits->wall_ms / 1000) + 1);
	keep_only_pipe(child, descriptors);
	set_limits(limits, space);
}

void
child_answer(const struct child *child, struct str bytes)
{
	int status = fd_write(child->pipe, bytes);

	_exit(status < 0);
}

/* ---- the parent ---- */

int
child_start(struct child *child, const struct child_limits *limits,
	bool *is_child_out, struct err *err)
{
	uint64_t space = address_space();
	long descriptors = sysconf(_SC_OPEN_MAX);
	int ends[2];

	*is_child_out = false;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_temp_errno(err, "4.3.0", "no pipe to a child");
	child->pid = fork();
	if (child->pid < 0) {
		err_temp_errno(err, "4.3.0", "cannot start a child");
		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return -1;
	}
	*is_child_out = child->pid == 0;
	if (*is_child_out) {
		child->pipe = ends[1];
		become_child(child, limits, space, descriptors);
		return 0;
	}
	fd_close(&ends[1]);
	child->pipe = ends[0];
	child->deadline_ms = clock_monotonic_ms() + limits->wall_ms;
	return 0;
}

static bool
is_readable(const struct child *child)
{
	struct pollfd pipe = {.fd = child->pipe, .events = POLLIN};
	uint64_t now = clock_monotonic_ms(), left;

	while (now < child->deadline_ms) {
		left = child->deadline_ms - now;
		if (left > LONGEST_WAIT_MS)
			left = LONGEST_WAIT_MS;
		if (poll(&pipe, 1, (int)left) > 0)
			return true;
		now = clock_monotonic_ms();
	}
	return false;
}

/* True at the end, false when the time is over or there are too many bytes. */
static bool
hear(const struct child *child, struct buf *bytes)
{
	char chunk[CHUNK_BYTES];
	ssize_t got;

	while (!bytes->overflowed && is_readable(child)) {
		got = fd_read(child->pipe, chunk, sizeof(chunk));
		if (got <= 0)
			return true;
		buf_add(bytes, str_of(chunk, (size_t)got));
	}
	return false;
}

/* A signal of ours comes too late for a child that is on its way out. */
static int
reap(const struct child *child)
{
	int status = 0;

	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static const char *
end_text(struct arena *arena, int status)
{
	if (!WIFSIGNALED(status))
		return arena_format(
			arena, "ended with status %d", WEXITSTATUS(status));
	switch (WTERMSIG(status)) {
	case SIGXCPU:
		return "used too much CPU time";
	case SIGKILL:
		return "was killed";
	default:
		return arena_format(
			arena, "crashed with signal %d", WTERMSIG(status));
	}
}

void
child_wait(struct child *child, struct arena *arena, struct buf *bytes,
	const char **end_out)
{
	bool is_over = hear(child, bytes);
	int status = reap(child);

	fd_close(&child->pipe);
	if (bytes->overflowed)
		*end_out = "answered too much";
	else if (!is_over)
		*end_out = "took too long";
	else
		*end_out = end_text(arena, status);
}
