/* sendmail - hand a message to the local MTA's sendmail program
 *
 *   sendmail_path -i -f SENDER -- RECIPIENT...    message on its standard input
 *
 * No shell.  The program runs in a session of its own and is killed whole when
 * the time-out passes.  What counts is the end of the program itself: a child
 * that it left in the background may hold its descriptors as long as it likes.
 *
 * We keep the reading end of its standard input.  What is still in that pipe
 * when the program has ended was not read, however short the message; and a
 * program that stops reading costs us no SIGPIPE.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fd.h"
#include "outbound/outbound.h"

#include "base/banned.h"

/* Kernels know it since 5.11, C libraries since later. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

enum {
	CHUNK_BYTES = 65536,
	SAID_BYTES = 300,
	LOOK_INTERVAL_MS = 20,   /* where the kernel does not tell of the end */
	LONGEST_WAIT_MS = 60000, /* of one poll() */
	KILLED_WITHIN_MS = 1000, /* after that it is left to init */
	MOST_DESCRIPTORS = 65536, /* marked one by one */
	CANNOT_RUN_STATUS = 127
};

/* The ends of the pipes between us and the program. */
struct pipes {
	int input[2];
	int output[2];
	int trouble[2]; /* errno of an exec that failed */
};

struct child {
	const char *program;
	pid_t pid;
	int pidfd; /* readable at its end; -1: the kernel has none */
	struct pipes pipes;
	uint64_t deadline_ms;
	char said[SAID_BYTES]; /* the beginning of what it wrote */
	size_t said_len;
	bool is_cut;    /* it ended before everything was written */
	bool has_ended; /* and is reaped */
	bool is_lost;   /* somebody else reaped it: `status` is not known */
	int status;
};

/* The first is NULL when no program is set. */
static char **
command_words(struct arena *arena, const struct outbound_settings *settings,
	struct str sender, const struct str *recipients, size_t count)
{
	struct str rest = str_from(settings->sendmail_path), word;
	size_t most = rest.len / 2 + count + 6, used = 0, i;
	char **words = ARENA_ARRAY(arena, char *, most);

	while (str_next_word(&rest, &word))
		words[used++] = arena_text(arena, word);
	if (used == 0)
		return words;
	words[used++] = arena_text(arena, STR("-i"));
	words[used++] = arena_text(arena, STR("-f"));
	words[used++] = arena_text(arena, sender.len > 0 ? sender : STR("<>"));
	words[used++] = arena_text(arena, STR("--"));
	for (i = 0; i < count; i++)
		words[used++] = arena_text(arena, recipients[i]);
	return words;
}

static void
close_pipes(struct pipes *pipes)
{
	size_t end;

	for (end = 0; end < 2; end++) {
		fd_close(&pipes->input[end]);
		fd_close(&pipes->output[end]);
		fd_close(&pipes->trouble[end]);
	}
}

static int
open_pipes(struct pipes *pipes)
{
	if (pipe2(pipes->input, O_CLOEXEC) < 0 ||
		pipe2(pipes->output, O_CLOEXEC) < 0 ||
		pipe2(pipes->trouble, O_CLOEXEC) < 0)
		return -1;
	fcntl(pipes->input[1], F_SETFL, O_NONBLOCK);
	fcntl(pipes->output[0], F_SETFL, O_NONBLOCK);
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

/* setsid() comes first, so that all that the program starts is in its group. */
NO_RETURN static void
become_program(char *const *words, const struct pipes *pipes, int descriptors)
{
	ssize_t told;
	int reason;

	setsid();
	reset_signals();
	keep_descriptors(descriptors);
	if (dup2(pipes->input[0], STDIN_FILENO) >= 0 &&
		dup2(pipes->output[1], STDOUT_FILENO) >= 0 &&
		dup2(pipes->output[1], STDERR_FILENO) >= 0)
		execv(words[0], words);
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

static int
start(struct child *child, char *const *words, struct err *err)
{
	int descriptors = most_descriptors();

	if (open_pipes(&child->pipes) < 0)
		return err_temp_errno(
			err, "4.3.0", "no pipe to %s", child->program);
	child->pid = fork();
	if (child->pid < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot start %s", child->program);
	if (child->pid == 0)
		become_program(words, &child->pipes, descriptors);
	child->pidfd = open_pidfd(child->pid);
	fd_close(&child->pipes.output[1]);
	fd_close(&child->pipes.trouble[1]);
	return 0;
}

static int
time_left_ms(const struct child *child, uint64_t most)
{
	uint64_t now = clock_monotonic_ms(), left;

	left = now < child->deadline_ms ? child->deadline_ms - now : 0;
	return (int)(left < most ? left : most);
}

/* The first bytes are kept for the log, the rest is read away so that the
 * program does not wait for us.  Closes the output at its end.  True when there
 * was something. */
static bool
hear(struct child *child)
{
	int *output = &child->pipes.output[0];
	char bytes[1024];
	ssize_t got = fd_read(*output, bytes, sizeof(bytes));
	size_t room = sizeof(child->said) - child->said_len;

	if (got == 0 || (got < 0 && errno != EAGAIN))
		fd_close(output);
	if (got <= 0)
		return false;
	if (room > (size_t)got)
		room = (size_t)got;
	memcpy(child->said + child->said_len, bytes, room);
	child->said_len += room;
	return true;
}

/* What it has said so far, without waiting for those it left behind. */
static void
hear_the_rest(struct child *child)
{
	while (child->said_len < sizeof(child->said) && hear(child))
		continue;
}

static void
look_for_end(struct child *child)
{
	pid_t found = waitpid(child->pid, &child->status, WNOHANG);

	child->is_lost = found < 0 && errno != EINTR;
	child->has_ended = found == child->pid || child->is_lost;
}

/* One step of talking: what could be written, what could be heard, and whether
 * the program has ended.  False when the time is over. */
static bool
talk(struct child *child, struct str *unwritten)
{
	struct pollfd wait[] = {
		{.fd = child->pipes.output[0], .events = POLLIN},
		{.fd = unwritten->len > 0 ? child->pipes.input[1] : -1,
			.events = POLLOUT},
		{.fd = child->pidfd, .events = POLLIN}};
	int longest = child->pidfd >= 0 ? LONGEST_WAIT_MS : LOOK_INTERVAL_MS;

	if (poll(wait, ARRAY_LENGTH(wait),
		    time_left_ms(child, (uint64_t)longest)) < 0)
		return errno == EINTR && time_left_ms(child, 1) > 0;
	if (wait[0].revents != 0)
		hear(child);
	if (wait[1].revents != 0) {
		ssize_t written = write(
			child->pipes.input[1], unwritten->data, unwritten->len);

		if (written > 0)
			*unwritten = str_skip(*unwritten, (size_t)written);
	}
	if (wait[2].revents != 0 || child->pidfd < 0)
		look_for_end(child);
	return child->has_ended || time_left_ms(child, 1) > 0;
}

static int
timed_out(const struct child *child, struct err *err)
{
	return err_temp(err, "4.4.2", "%s did not end in time", child->program);
}

static int
write_chunk(struct child *child, struct str chunk, struct err *err)
{
	while (chunk.len > 0 && !child->has_ended)
		if (!talk(child, &chunk))
			return timed_out(child, err);
	child->is_cut = chunk.len > 0;
	return 0;
}

/* Gives it the message, and its end only when that was the whole. */
static int
feed(struct child *child, struct arena *arena, const struct content *content,
	struct err *err)
{
	char *buffer = arena_alloc(arena, CHUNK_BYTES);
	struct content_reader reader;
	struct str chunk;
	enum lookup more = LOOKUP_NONE;

	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, CHUNK_BYTES);
	while (!child->is_cut &&
		(more = content_read(&reader, &chunk, err)) == LOOKUP_FOUND)
		if (write_chunk(child, chunk, err) < 0)
			return -1;
	if (more == LOOKUP_ERROR)
		return -1;
	fd_close(&child->pipes.input[1]);
	return 0;
}

static int
wait_for_end(struct child *child, struct err *err)
{
	struct str nothing = STR_EMPTY;

	while (!child->has_ended)
		if (!talk(child, &nothing))
			return timed_out(child, err);
	hear_the_rest(child);
	return 0;
}

/* It must not take half a message for a whole one: its input is closed after
 * this.
 *
 * The program first, then its group, which is there from its setsid() until it
 * is reaped: before setsid() it has no children, and it makes none once it is
 * killed.  A program that runs as somebody else (setuid) cannot be killed, so
 * this wait has an end, too. */
static void
kill_whole(struct child *child)
{
	struct str nothing = STR_EMPTY;

	if (child->has_ended)
		return;
	kill(child->pid, SIGKILL);
	kill(-child->pid, SIGKILL);
	child->deadline_ms = clock_monotonic_ms() + KILLED_WITHIN_MS;
	while (!child->has_ended && talk(child, &nothing))
		continue;
}

static bool
has_read_all(const struct child *child)
{
	int left = 0;

	return !child->is_cut &&
	       ioctl(child->pipes.input[0], FIONREAD, &left) == 0 && left == 0;
}

static int
judge(const struct child *child, struct err *err)
{
	struct str said = str_trim(str_of(child->said, child->said_len));
	bool is_killed = WIFSIGNALED(child->status);
	bool is_read = has_read_all(child);
	int reason;

	if (child->is_lost)
		return err_temp(err, "4.3.0",
			"%s has ended, but its status is not known",
			child->program);
	if (fd_read(child->pipes.trouble[0], &reason, sizeof(reason)) ==
		sizeof(reason))
		return err_temp(err, "4.3.0", "cannot run %s: %s",
			child->program, strerror(reason));
	if (is_read && child->status == 0)
		return 0;
	return err_temp(err, "4.3.0", "%s %s %d%s%s%.*s", child->program,
		is_killed ? "was killed by signal" : "ended with status",
		is_killed ? WTERMSIG(child->status)
			  : WEXITSTATUS(child->status),
		is_read ? "" : " and did not read the whole message",
		said.len > 0 ? ": " : "", STR_ARG(said));
}

int
outbound_submit(const struct outbound_settings *settings, struct str sender,
	const struct str *recipients, size_t count,
	const struct content *content, struct err *err)
{
	struct arena *arena = arena_open();
	char **words =
		command_words(arena, settings, sender, recipients, count);
	struct child child = {.program = words[0],
		.pidfd = -1,
		.pipes = {{-1, -1}, {-1, -1}, {-1, -1}},
		.deadline_ms = clock_monotonic_ms() + settings->timeout_ms};
	int result = -1;

	if (words[0] == NULL)
		err_temp(err, "4.3.5", "sendmail_path is not set");
	else if (start(&child, words, err) == 0) {
		if (feed(&child, arena, content, err) == 0 &&
			wait_for_end(&child, err) == 0)
			result = judge(&child, err);
		kill_whole(&child);
	}
	fd_close(&child.pidfd);
	close_pipes(&child.pipes);
	arena_close(&arena);
	return result;
}
