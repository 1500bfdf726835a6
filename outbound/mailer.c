/* SPDX-License-Identifier: MIT */
#include "outbound/mailer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "ipc/channel.h"
#include "outbound/request.h"

#include "base/banned.h"

enum {
	CHUNK_BYTES = 65536,
	MEMORY_BYTES = 1024 * 1024, /* a longer message goes to a file */
	ANSWER_MARGIN_MS = 5000,    /* behind the mailer's own time-out */
	EXIT_CANNOT_RUN = 127
};

struct mailer {
	struct arena *arena;
	const struct outbound_settings *settings;
	const char *name; /* of whom we ask, for the log */
	struct channel channel;
	pid_t helper; /* 0: it is not ours */
	uint64_t until_ms;
	size_t count; /* of recipients */
};

static struct mailer *
new_mailer(struct arena *arena, const struct outbound_settings *settings,
	const char *name, int fd)
{
	struct mailer *mailer = ARENA_NEW(arena, struct mailer);
	struct timeval limit = {.tv_sec = ANSWER_MARGIN_MS / 1000};

	mailer->arena = arena;
	mailer->settings = settings;
	mailer->name = name;
	/* A mailer that hangs may not take what we send. */
	(void)!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	channel_open(&mailer->channel, fd, true);
	return mailer;
}

/* ---- by a socket ---- */

static bool
must_be_there(const char *path)
{
	return path[0] == '/' || path[0] == '@';
}

enum lookup
mailer_connect(struct arena *arena, const struct outbound_settings *settings,
	struct mailer **mailer_out, struct err *err)
{
	const char *path = settings->mailer;
	int fd;

	if (!must_be_there(path))
		path = arena_format(arena, "%s/%s", settings->base_dir, path);
	fd = channel_connect(path);
	if (fd < 0 && must_be_there(settings->mailer)) {
		err_temp_errno(err, "4.3.0", "%s", path);
		return LOOKUP_ERROR;
	}
	if (fd < 0)
		return LOOKUP_NONE;
	*mailer_out = new_mailer(arena, settings, path, fd);
	return LOOKUP_FOUND;
}

/* ---- by a program ---- */

/* Between fork and exec: only calls that are safe there. */
NO_RETURN static void
become_helper(const char *path, int fd)
{
	char name[] = "doorstep-submit";
	char *const arguments[] = {name, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) >= 0)
		execv(path, arguments);
	_exit(EXIT_CANNOT_RUN);
}

static int
send_settings(struct mailer *mailer, struct err *err)
{
	struct outbound_settings settings = *mailer->settings;
	struct frame frame;

	frame_begin(&frame, REQUEST_SETTINGS);
	request_settings(&frame, &settings);
	return channel_send(&mailer->channel, &frame, err);
}

int
mailer_start_helper(struct arena *arena,
	const struct outbound_settings *settings, struct mailer **mailer_out,
	struct err *err)
{
	const char *path = arena_format(
		arena, "%s/doorstep-submit", settings->libexec_dir);
	int ends[2];
	pid_t pid;

	if (access(path, X_OK) < 0)
		return err_temp_errno(err, "4.3.5",
			"submission_host needs a server or the program %s",
			path);
	if (channel_pair(ends) < 0)
		return err_temp_errno(err, "4.3.0", "socketpair");
	pid = fork();
	if (pid == 0)
		become_helper(path, ends[1]);
	fd_close(&ends[1]);
	if (pid < 0) {
		err_temp_errno(err, "4.3.0", "fork");
		fd_close(&ends[0]);
		return -1;
	}
	*mailer_out = new_mailer(arena, settings, path, ends[0]);
	(*mailer_out)->helper = pid;
	return send_settings(*mailer_out, err);
}

/* ---- the message ---- */

static int
write_content(struct mailer *mailer, const struct content *content, int fd,
	uint64_t *size_out, struct err *err)
{
	char *buffer = arena_alloc(mailer->arena, CHUNK_BYTES);
	struct content_reader reader;
	struct str chunk;
	enum lookup more;

	*size_out = 0;
	content_reader_init(
		&reader, content, LINE_ENDS_LF, buffer, CHUNK_BYTES);
	while ((more = content_read(&reader, &chunk, err)) == LOOKUP_FOUND) {
		if (fd_write(fd, chunk) < 0)
			return err_temp_errno(err,
				errno == ENOSPC ? "4.3.1" : "4.3.0",
				"cannot write the message that is to leave");
		*size_out += chunk.len;
	}
	return more == LOOKUP_ERROR ? -1 : 0;
}

/* -1 with err. */
static int
open_file(const struct mailer *mailer, const struct content *content,
	struct err *err)
{
	const char *folder = mailer->settings->temp_folder;
	int fd;

	if (message_end(content->message) <= MEMORY_BYTES || folder == NULL)
		fd = memfd_create("message", MFD_CLOEXEC);
	else
		fd = fd_temporary(folder);
	if (fd < 0)
		return err_temp_errno(err, "4.3.0",
			"no file for the message that is to leave (%s)",
			folder);
	return fd;
}

/* ---- asking ---- */

static int
send_mail(struct mailer *mailer, const struct outbound_mail *mail,
	struct request_submit *submit, struct err *err)
{
	struct frame frame;

	if (write_content(mailer, mail->content, submit->file, &submit->size,
		    err) < 0)
		return -1;
	frame_begin(&frame, REQUEST_SUBMIT);
	request_submit(&frame, submit);
	return channel_send(&mailer->channel, &frame, err);
}

int
mailer_ask(struct mailer *mailer, const struct outbound_mail *mail,
	struct err *err)
{
	uint64_t timeout_ms = mailer->settings->timeout_ms;
	struct request_submit submit = {.request = 1,
		.timeout_ms = timeout_ms,
		.sender = mail->sender,
		.recipients = (struct str *)(uintptr_t)mail->recipients,
		.count = mail->count,
		.wishes = mail->wishes,
		.is_forwarded = mail->is_forwarded,
		.marks = (struct outbound_mark *)(uintptr_t)mail->marks,
		.mark_count =
			mail->marks != NULL ? mail->count * OUTBOUND_MARKS : 0,
		.file = open_file(mailer, mail->content, err)};
	int result;

	if (submit.file < 0)
		return -1;
	if (mail->notice != NULL) {
		submit.is_notice = true;
		submit.notice = *mail->notice;
	}
	mailer->count = mail->count;
	mailer->until_ms = clock_monotonic_ms() + timeout_ms + ANSWER_MARGIN_MS;
	result = send_mail(mailer, mail, &submit, err);
	fd_close(&submit.file);
	return result;
}

static int
read_answer(struct mailer *mailer, struct frame *frame, struct err *results,
	struct err *err)
{
	struct request_submitted answer = {0};

	if (frame->type == REQUEST_SUBMITTED)
		request_submitted(frame, &answer);
	if (frame->type != REQUEST_SUBMITTED || !frame_is_whole(frame) ||
		answer.count != mailer->count)
		return err_temp(
			err, "4.3.0", "%s: a wrong answer", mailer->name);
	memcpy(results, answer.results, answer.count * sizeof(*results));
	return 0;
}

int
mailer_wait(struct mailer *mailer, struct err *results, struct err *err)
{
	struct frame frame;
	int result;

	if (!channel_wait(&mailer->channel, mailer->until_ms))
		return err_temp(
			err, "4.4.2", "%s: no answer in time", mailer->name);
	if (channel_receive(&mailer->channel, mailer->arena, &frame, err) !=
		LOOKUP_FOUND)
		return err_temp(err, "4.3.0", "%s ended without an answer",
			mailer->name);
	result = read_answer(mailer, &frame, results, err);
	frame_close(&frame);
	return result;
}

void
mailer_close(struct mailer **mailer_in)
{
	struct mailer *mailer = *mailer_in;

	if (mailer == NULL)
		return;
	*mailer_in = NULL;
	channel_close(&mailer->channel);
	if (mailer->helper == 0)
		return;
	kill(mailer->helper, SIGKILL);
	while (waitpid(mailer->helper, NULL, 0) < 0 && errno == EINTR)
		continue;
}
