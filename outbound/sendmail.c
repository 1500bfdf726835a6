/* sendmail - hand a message to the local MTA's sendmail program
 *
 *   sendmail_path -i -f SENDER -- RECIPIENT...    message on its standard input
 *
 * No shell.  The program runs in a session of its own and is killed whole when
 * the time-out passes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fd.h"
#include "outbound/outbound.h"

#include "base/banned.h"

enum { CHUNK_BYTES = 65536, SAID_BYTES = 300 };

struct child {
	pid_t pid;
	int input;  /* its standard input */
	int output; /* its standard output and error */
	uint64_t deadline_ms;
	char said[SAID_BYTES]; /* the beginning of what it wrote */
	size_t said_len;
	bool is_killed;
};

static char **
command_words(struct arena *arena, const struct outbound_settings *settings,
	struct str sender, const struct str *recipients, size_t count)
{
	struct str rest = str_from(settings->sendmail_path), word;
	size_t most = rest.len / 2 + count + 6, used = 0, i;
	char **words = ARENA_ARRAY(arena, char *, most);

	while (str_next_word(&rest, &word))
		words[used++] = arena_text(arena, word);
	words[used++] = arena_text(arena, STR("-i"));
	words[used++] = arena_text(arena, STR("-f"));
	words[used++] = arena_text(arena, sender.len > 0 ? sender : STR("<>"));
	words[used++] = arena_text(arena, STR("--"));
	for (i = 0; i < count; i++)
		words[used++] = arena_text(arena, recipients[i]);
	return words;
}

/* Only calls that are safe between fork and exec. */
NO_RETURN static void
become_program(char *const *words, int input, int output)
{
	static const int signals[] = {
		SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGHUP};
	sigset_t none;
	size_t i;

	setsid();
	for (i = 0; i < ARRAY_LENGTH(signals); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, STDIN_FILENO) >= 0 &&
		dup2(output, STDOUT_FILENO) >= 0 &&
		dup2(output, STDERR_FILENO) >= 0)
		execv(words[0], words);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", words[0],
		strerror(errno));
	_exit(127);
}

static int
start(struct child *child, char *const *words, struct err *err)
{
	int input[2] = {-1, -1}, output[2] = {-1, -1};

	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) {
		err_temp_errno(err, "4.3.0", "no pipe to %s", words[0]);
		goto fail;
	}
	child->pid = fork();
	if (child->pid < 0) {
		err_temp_errno(err, "4.3.0", "cannot start %s", words[0]);
		goto fail;
	}
	if (child->pid == 0)
		become_program(words, input[0], output[1]);
	fd_close(&input[0]);
	fd_close(&output[1]);
	child->input = input[1];
	child->output = output[0];
	fcntl(child->input, F_SETFL, O_NONBLOCK);
	fcntl(child->output, F_SETFL, O_NONBLOCK);
	return 0;
fail:
	fd_close(&input[0]);
	fd_close(&input[1]);
	fd_close(&output[0]);
	fd_close(&output[1]);
	return -1;
}

static int
time_left_ms(const struct child *child)
{
	uint64_t now = clock_monotonic_ms();

	if (now >= child->deadline_ms)
		return 0;
	return child->deadline_ms - now > 60000
	               ? 60000
	               : (int)(child->deadline_ms - now);
}

/* The first bytes are kept for the log, the rest is read away so that the
 * program does not wait for us.  Closes the output at its end. */
static void
hear(struct child *child)
{
	char bytes[1024];
	ssize_t got = fd_read(child->output, bytes, sizeof(bytes));
	size_t room = sizeof(child->said) - 1 - child->said_len;

	if (got == 0 || (got < 0 && errno != EAGAIN))
		fd_close(&child->output);
	if (got <= 0)
		return;
	if (room > (size_t)got)
		room = (size_t)got;
	memcpy(child->said + child->said_len, bytes, room);
	child->said_len += room;
}

/* One step of talking: what could be written, what could be heard.  False when
 * the time is over. */
static bool
talk(struct child *child, struct str *unwritten)
{
	struct pollfd wait[2] = {{.fd = child->output, .events = POLLIN},
		{.fd = child->input, .events = POLLOUT}};

	if (poll(wait, 2, time_left_ms(child)) < 0 && errno != EINTR)
		return false;
	if (time_left_ms(child) == 0)
		return false;
	if (child->output >= 0 && wait[0].revents != 0)
		hear(child);
	if (child->input >= 0 && wait[1].revents != 0) {
		ssize_t written =
			write(child->input, unwritten->data, unwritten->len);

		if (written >= 0)
			*unwritten = str_skip(*unwritten, (size_t)written);
		else if (errno != EAGAIN && errno != EINTR)
			fd_close(&child->input); /* its status says the rest */
	}
	return true;
}

static int
timed_out(struct child *child, struct err *err)
{
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
	child->is_killed = true;
	return err_temp(err, "4.4.2", "sendmail did not end in time");
}

static int
feed(struct child *child, const struct content *content, struct err *err)
{
	char *buffer = NULL;
	struct arena *arena = arena_open();
	struct content_reader reader;
	struct str chunk;
	enum lookup more;
	int result = -1;

	buffer = arena_alloc(arena, CHUNK_BYTES);
	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, CHUNK_BYTES);
	while ((more = content_read(&reader, &chunk, err)) == LOOKUP_FOUND &&
		child->input >= 0) {
		while (chunk.len > 0 && child->input >= 0) {
			if (!talk(child, &chunk)) {
				timed_out(child, err);
				goto done;
			}
		}
	}
	if (more == LOOKUP_ERROR) {
		/* It must not take half a message for a whole one. */
		kill(-child->pid, SIGKILL);
		kill(child->pid, SIGKILL);
		child->is_killed = true;
		goto done;
	}
	result = 0;
done:
	fd_close(&child->input);
	arena_close(&arena);
	return result;
}

/* Waits for the end of the program and tells how it ended. */
static int
finish(struct child *child, int *status_out, struct err *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0), result = 0;
	struct str nothing = STR_EMPTY;

	while (!child->is_killed && child->output >= 0)
		if (!talk(child, &nothing))
			result = timed_out(child, err);
	if (!child->is_killed && pidfd >= 0) {
		struct pollfd wait = {.fd = pidfd, .events = POLLIN};

		/* It may close its output and live on. */
		while (wait.revents == 0 && time_left_ms(child) > 0)
			if (poll(&wait, 1, time_left_ms(child)) < 0 &&
				errno != EINTR)
				break;
		if (wait.revents == 0)
			result = timed_out(child, err);
	}
	fd_close(&pidfd);
	fd_close(&child->output);
	while (waitpid(child->pid, status_out, 0) < 0)
		if (errno != EINTR)
			return err_temp_errno(
				err, "4.3.0", "lost the sendmail program");
	return result;
}

static int
judge(const struct child *child, const char *program, int status,
	struct err *err)
{
	struct str said = str_trim(str_of(child->said, child->said_len));

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_temp(err, "4.3.0",
			"%s was killed by signal %d: %.*s", program,
			WTERMSIG(status), STR_ARG(said));
	return err_temp(err, "4.3.0", "%s ended with status %d: %.*s", program,
		WEXITSTATUS(status), STR_ARG(said));
}

int
outbound_submit(const struct outbound_settings *settings, struct str sender,
	const struct str *recipients, size_t count,
	const struct content *content, struct err *err)
{
	struct child child = {.input = -1,
		.output = -1,
		.deadline_ms = clock_monotonic_ms() + settings->timeout_ms};
	struct arena *arena = arena_open();
	char **words =
		command_words(arena, settings, sender, recipients, count);
	int status = 0, result = -1, fed;
	struct err ending;

	if (start(&child, words, err) == 0) {
		fed = feed(&child, content, err);
		err_clear(&ending);
		if (finish(&child, &status, &ending) < 0 && fed == 0) {
			*err = ending;
			fed = -1;
		}
		if (fed == 0)
			result = judge(&child, words[0], status, err);
	}
	arena_close(&arena);
	return result;
}
