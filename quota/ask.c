/* SPDX-License-Identifier: MIT */
#include "quota/ask.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"

#include "base/banned.h"

void
ask_init(struct ask *ask, const char *path)
{
	*ask = (struct ask){.path = path, .channel = {.fd = -1}};
}

void
ask_clear(struct ask *ask)
{
	channel_close(&ask->channel);
}

/* Sending waits as long as receiving. */
static void
limit_sending(int fd)
{
	struct timeval limit = {.tv_sec = ASK_TIMEOUT_MS / 1000};

	/* Without it a send may wait longer; nothing worse. */
	(void)!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

enum lookup
ask_connect(struct ask *ask, struct err *err)
{
	int fd;

	if (channel_is_open(&ask->channel))
		return LOOKUP_FOUND;
	fd = channel_connect(ask->path);
	if (fd >= 0) {
		limit_sending(fd);
		channel_open(&ask->channel, fd, true);
		return LOOKUP_FOUND;
	}
	if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED ||
		errno == EACCES)
		return LOOKUP_NONE;
	err_temp_errno(err, "4.3.0", "%s", ask->path);
	return LOOKUP_ERROR;
}

static int
send_question(struct ask *ask, struct request_count *count, struct err *err)
{
	struct frame frame;

	count->request = ++ask->request;
	frame_begin(&frame, REQUEST_COUNT);
	request_count(&frame, count);
	return channel_send(&ask->channel, &frame, err);
}

static int
receive_answer(
	struct ask *ask, struct request_counted *counted_out, struct err *err)
{
	struct arena *arena;
	struct frame frame;
	bool is_right;

	if (!channel_wait(&ask->channel, clock_monotonic_ms() + ASK_TIMEOUT_MS))
		return err_temp(
			err, "4.3.0", "%s: no answer in time", ask->path);
	arena = arena_open();
	if (channel_receive(&ask->channel, arena, &frame, err) !=
		LOOKUP_FOUND) {
		arena_close(&arena);
		return -1;
	}
	is_right = frame.type == REQUEST_COUNTED;
	if (is_right) {
		request_counted(&frame, counted_out);
		is_right = frame_is_whole(&frame) &&
		           counted_out->request == ask->request;
	}
	frame_close(&frame);
	arena_close(&arena);
	return is_right ? 0
	                : err_temp(err, "4.3.0", "%s: a wrong answer",
				  ask->path);
}

int
ask_count(struct ask *ask, struct request_count *count,
	struct request_counted *counted_out, struct err *err)
{
	*counted_out = (struct request_counted){.request = 0};
	if (send_question(ask, count, err) < 0 ||
		receive_answer(ask, counted_out, err) < 0) {
		/* An answer that comes too late must not meet the next one. */
		ask_clear(ask);
		return -1;
	}
	if (counted_out->state != REQUEST_COUNTED_UNABLE)
		return 0;
	return err_temp(err, "4.3.0", "%s: the count cannot be had", ask->path);
}
