/* We keep the reading end of the program's standard input.  What is still in that
 * pipe when the program has ended was not read, however short it was; and a
 * program that stops reading costs us no SIGPIPE.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/number.h"

#include "base/banned.h"

/* Kernels know it since 5.11, C libraries since later. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

extern char **environ;

enum {
	LOOK_INTERVAL_MS = 20,   /* where the kernel does not tell of the end */
	LONGEST_WAIT_MS = 60000, /* of one poll() */
	KILLED_WITHIN_MS = 1000, /* after that it is left to init */
	MOST_DESCRIPTORS = 65536, /* marked one by one */
	READ_BYTES = 4096,
	CHILDREN_BYTES = 65536, /* of their list */
	CANNOT_RUN_STATUS = 127
};

/* ---- pipes ---- */

static void
close_pair(int ends[2])
{
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void
close_pipes(struct program_pipes *pipes)
{
	close_pair(pipes->input);
	close_pair(pipes->output);
	close_pair(pipes->said);
	close_pair(pipes->trouble);
}

static int
open_pipes(struct program_pipes *pipes, const struct program_order *order)
{
	if ((order->input < 0 && pipe2(pipes->input, O_CLOEXEC) < 0) ||
		(order->output > 0 && pipe2(pipes->output, O_CLOEXEC) < 0) ||
		pipe2(pipes->said, O_CLOEXEC) < 0 ||
		pipe2(pipes->trouble, O_CLOEXEC) < 0)
		return -1;
	if (order->input < 0)
		fcntl(pipes->input[1], F_SETFL, O_NONBLOCK);
	if (order->output > 0)
		fcntl(pipes->output[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes->said[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes->trouble[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* ---- between fork and exec: only calls that are safe there ---- */

static void
reset_signals(void)
{
	static const int signals[] = {
		SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t none;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(signals); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Whatever our own parent left open is no business of the program. */
static void
keep_descriptors(int most)
{
	int fd;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
#endif
	for (fd = 3; fd < most; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* One that cannot be set was lower before: that is a limit, too. */
static void
limit(int resource, uint64_t most)
{
	const struct rlimit limit = {.rlim_cur = most, .rlim_max = most};

	(void)setrlimit((unsigned)resource, &limit);
}

static void
set_limits(const struct program_order *order)
{
	limit(RLIMIT_CORE, 0);
	if (order->cpu_s > 0)
		limit(RLIMIT_CPU, order->cpu_s);
	if (order->memory > 0)
		limit(RLIMIT_AS, order->memory);
}

static bool
set_standard(
	const struct program_pipes *pipes, const struct program_order *order)
{
	int input = order->input < 0 ? pipes->input[0] : order->input;
	int output = order->output > 0 ? pipes->output[1] : pipes->said[1];

	return dup2(input, STDIN_FILENO) >= 0 &&
	       dup2(output, STDOUT_FILENO) >= 0 &&
	       dup2(pipes->said[1], STDERR_FILENO) >= 0;
}

/* setsid() comes first, so that all that the program starts is in its group. */
NO_RETURN static void
become_program(const struct program_order *order,
	const struct program_pipes *pipes, int descriptors)
{
	ssize_t told;
	int reason;

	setsid();
	/* Nobody else would end it when we are killed. */
	if (!order->leaves_children)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	reset_signals();
	keep_descriptors(descriptors);
	if (set_standard(pipes, order) &&
		(order->folder == NULL || chdir(order->folder) == 0)) {
		set_limits(order);
		execve(order->words[0], order->words,
			order->environment != NULL ? order->environment
						   : environ);
	}
	reason = errno;
	told = write(pipes->trouble[1], &reason, sizeof(reason));
	(void)told; /* the status tells, too */
	_exit(CANNOT_RUN_STATUS);
}

/* ---- the parent ---- */

static int
most_descriptors(void)
{
	long most = sysconf(_SC_OPEN_MAX);

	return most < 0 || most > MOST_DESCRIPTORS ? MOST_DESCRIPTORS
	                                           : (int)most;
}

/* Where the call is missing the end is looked for. */
static int
open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* While it is on, what loses its parent becomes our child. */
static void
adopt_orphans(bool is_on)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, is_on ? 1 : 0, 0, 0, 0);
}

int
program_start(struct program *program, const struct program_order *order,
	struct err *err)
{
	int descriptors = most_descriptors();

	*program = (struct program){.path = order->words[0],
		.pid = -1,
		.pidfd = -1,
		.pipes = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}},
		.deadline_ms = clock_monotonic_ms() + order->timeout_ms,
		.leaves_children = order->leaves_children};
	buf_init(&program->output, order->output);
	if (open_pipes(&program->pipes, order) < 0)
		return err_temp_errno(
			err, "4.3.0", "no pipe to %s", program->path);
	if (!program->leaves_children)
		adopt_orphans(true);
	program->pid = fork();
	if (program->pid < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot start %s", program->path);
	if (program->pid == 0)
		become_program(order, &program->pipes, descriptors);
	program->pidfd = open_pidfd(program->pid);
	fd_close(&program->pipes.output[1]);
	fd_close(&program->pipes.said[1]);
	fd_close(&program->pipes.trouble[1]);
	return 0;
}

static int
time_left_ms(const struct program *program, uint64_t most)
{
	uint64_t now = clock_monotonic_ms(), left;

	left = now < program->deadline_ms ? program->deadline_ms - now : 0;
	return (int)(left < most ? left : most);
}

/* One read of a pipe that is closed at its end; how many bytes. */
static size_t
read_some(int *pipe, char *bytes, size_t size)
{
	ssize_t got;

	if (*pipe < 0)
		return 0;
	got = fd_read(*pipe, bytes, size);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		fd_close(pipe);
	return got > 0 ? (size_t)got : 0;
}

/* The first bytes are kept for the log, the rest is read away so that the
 * program does not wait for us.  True when there was something. */
static bool
hear(struct program *program)
{
	char bytes[READ_BYTES];
	size_t got = read_some(&program->pipes.said[0], bytes, sizeof(bytes));
	size_t room = sizeof(program->said) - program->said_len;

	if (room > got)
		room = got;
	memcpy(program->said + program->said_len, bytes, room);
	program->said_len += room;
	return got > 0;
}

static bool
take_output(struct program *program)
{
	char bytes[READ_BYTES];
	size_t got = read_some(&program->pipes.output[0], bytes, sizeof(bytes));

	buf_add(&program->output, str_of(bytes, got));
	return got > 0 && !program->output.overflowed;
}

/* What is there so far, without waiting for those it left behind. */
static void
hear_the_rest(struct program *program)
{
	while (program->said_len < sizeof(program->said) && hear(program))
		continue;
	while (take_output(program))
		continue;
}

/* As long as it is not reaped nobody else can have its number, nor that of its
 * group. */
static void
kill_group_of_ended(const struct program *program)
{
	siginfo_t info = {.si_pid = 0};

	if (!program->leaves_children &&
		waitid(P_PID, (id_t)program->pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid == program->pid)
		kill(-program->pid, SIGKILL);
}

static void
look_for_end(struct program *program)
{
	pid_t found;

	kill_group_of_ended(program);
	found = waitpid(program->pid, &program->status, WNOHANG);
	program->is_lost = found < 0 && errno != EINTR;
	program->has_ended = found == program->pid || program->is_lost;
}

static void
write_some(struct program *program, struct str *unwritten)
{
	ssize_t written =
		write(program->pipes.input[1], unwritten->data, unwritten->len);

	if (written > 0)
		*unwritten = str_skip(*unwritten, (size_t)written);
}

/* One step of talking: what could be written, what could be heard, and whether
 * the program has ended.  False when the time is over. */
static bool
talk(struct program *program, struct str *unwritten)
{
	struct pollfd wait[] = {
		{.fd = program->pipes.said[0], .events = POLLIN},
		{.fd = program->pipes.output[0], .events = POLLIN},
		{.fd = unwritten->len > 0 ? program->pipes.input[1] : -1,
			.events = POLLOUT},
		{.fd = program->pidfd, .events = POLLIN}};
	int longest = program->pidfd >= 0 ? LONGEST_WAIT_MS : LOOK_INTERVAL_MS;

	if (poll(wait, ARRAY_LENGTH(wait),
		    time_left_ms(program, (uint64_t)longest)) < 0)
		return errno == EINTR && time_left_ms(program, 1) > 0;
	if (wait[0].revents != 0)
		hear(program);
	if (wait[1].revents != 0)
		take_output(program);
	if (wait[2].revents != 0)
		write_some(program, unwritten);
	if (wait[3].revents != 0 || program->pidfd < 0)
		look_for_end(program);
	return program->has_ended || time_left_ms(program, 1) > 0;
}

/* The same; -1 ends the run. */
static int
step(struct program *program, struct str *unwritten, struct err *err)
{
	if (!talk(program, unwritten))
		return err_temp(
			err, "4.4.2", "%s did not end in time", program->path);
	if (program->output.overflowed)
		return err_temp(err, "4.3.0", "%s wrote more than %zu bytes",
			program->path, program->output.max);
	return 0;
}

int
program_write(struct program *program, struct str chunk, struct err *err)
{
	while (chunk.len > 0 && !program->has_ended)
		if (step(program, &chunk, err) < 0)
			return -1;
	program->is_cut = program->is_cut || chunk.len > 0;
	return 0;
}

void
program_close_input(struct program *program)
{
	fd_close(&program->pipes.input[1]);
}

int
program_wait(struct program *program, struct err *err)
{
	struct str nothing = STR_EMPTY;
	int reason;

	while (!program->has_ended)
		if (step(program, &nothing, err) < 0)
			return -1;
	hear_the_rest(program);
	if (program->is_lost)
		return err_temp(err, "4.3.0",
			"%s has ended, but its status is not known",
			program->path);
	if (fd_read(program->pipes.trouble[0], &reason, sizeof(reason)) ==
		sizeof(reason))
		return err_temp(err, "4.3.0", "cannot run %s: %s",
			program->path, strerror(reason));
	if (program->output.overflowed)
		return err_temp(err, "4.3.0", "%s wrote more than %zu bytes",
			program->path, program->output.max);
	return 0;
}

/* ---- the end ---- */

/* It must not take half its input for a whole one: that is closed after this.
 *
 * The program first, then its group, which is there from its setsid() until it
 * is reaped: before setsid() it has no children, and it makes none once it is
 * killed.  A program that runs as somebody else (setuid) cannot be killed, so
 * this wait has an end, too. */
static void
kill_program(struct program *program)
{
	struct str nothing = STR_EMPTY;

	if (program->has_ended)
		return;
	kill(program->pid, SIGKILL);
	kill(-program->pid, SIGKILL);
	program->deadline_ms = clock_monotonic_ms() + KILLED_WITHIN_MS;
	while (!program->has_ended && talk(program, &nothing))
		continue;
}

/* Kills and reaps those children of ours that are in another session: what the
 * program has left, and we have adopted.  True when there were any. */
static bool
kill_adopted(void)
{
	bool has_found = false;
	struct str rest, word;
	uint64_t number;
	struct buf list;

	buf_init(&list, CHILDREN_BYTES);
	(void)!fd_read_file("/proc/thread-self/children", &list);
	rest = buf_view(&list);
	while (str_next_word(&rest, &word)) {
		if (number_parse(word, &number) < 0 ||
			getsid((pid_t)number) == getsid(0))
			continue;
		has_found = true;
		kill((pid_t)number, SIGKILL);
		(void)waitpid((pid_t)number, NULL, WNOHANG);
	}
	buf_clear(&list);
	return has_found;
}

/* Those who are killed leave us their own children in turn. */
static void
kill_all_adopted(void)
{
	uint64_t end = clock_monotonic_ms() + KILLED_WITHIN_MS;

	while (kill_adopted() && clock_monotonic_ms() < end)
		(void)poll(NULL, 0, 1);
}

void
program_end(struct program *program)
{
	if (program->pid > 0)
		kill_program(program);
	if (!program->leaves_children) {
		kill_all_adopted();
		adopt_orphans(false);
	}
	fd_close(&program->pidfd);
	close_pipes(&program->pipes);
	buf_clear(&program->output);
}

/* ---- what became of it ---- */

bool
program_has_succeeded(const struct program *program)
{
	return program->has_ended && !program->is_lost && program->status == 0;
}

bool
program_was_killed(const struct program *program)
{
	return WIFSIGNALED(program->status);
}

bool
program_has_read_all(const struct program *program)
{
	int left = 0;

	return !program->is_cut &&
	       ioctl(program->pipes.input[0], FIONREAD, &left) == 0 &&
	       left == 0;
}

struct str
program_said(const struct program *program)
{
	return str_trim(str_of(program->said, program->said_len));
}

struct str
program_output(const struct program *program)
{
	return buf_view(&program->output);
}

void
program_add_end(const struct program *program, struct buf *text)
{
	if (WIFSIGNALED(program->status))
		buf_add_format(text, "%s was killed by signal %d",
			program->path, WTERMSIG(program->status));
	else
		buf_add_format(text, "%s ended with status %d", program->path,
			WEXITSTATUS(program->status));
}
