/* SPDX-License-Identifier: MIT */
#include "server/askmarks.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "server/wire.h"

#include "base/banned.h"

/* One call: a question in a frame, and its answer. */
struct question {
	struct askmarks *ask;
	uint64_t until_ms;
	struct wire_seen *seen; /* or */
	struct wire_mark *mark;
	bool is_lost; /* state has gone, rather than being slow or wrong */
	enum wire_marked_state answer;
};

void
askmarks_init(struct askmarks *ask, const char *path)
{
	memset(ask, 0, sizeof(*ask));
	ask->path = path;
	ask->channel.fd = -1;
	ask->timeout_ms = ASKMARKS_TIMEOUT_MS;
}

void
askmarks_clear(struct askmarks *ask)
{
	channel_close(&ask->channel);
}

/* ---- the connection ---- */

/* Sending waits as long as receiving. */
static void
limit_sending(const struct askmarks *ask, int fd)
{
	struct timeval limit = {.tv_sec = (time_t)(ask->timeout_ms / 1000),
		.tv_usec = (suseconds_t)(ask->timeout_ms % 1000) * 1000};

	/* Without it a send may wait longer; nothing worse. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return;
}

static int
connect_once(struct askmarks *ask, struct err *err)
{
	int fd;

	if (channel_is_open(&ask->channel))
		return 0;
	fd = channel_connect(ask->path);
	if (fd < 0)
		return err_temp_errno(err, "4.3.0", "%s", ask->path);
	limit_sending(ask, fd);
	channel_open(&ask->channel, fd, true);
	return 0;
}

/* ---- one question ---- */

static int
send_question(struct question *question, struct err *err)
{
	struct askmarks *ask = question->ask;
	struct frame frame;

	ask->request++;
	if (question->seen != NULL) {
		frame_begin(&frame, WIRE_SEEN);
		question->seen->request = ask->request;
		wire_seen(&frame, question->seen);
	} else {
		frame_begin(&frame, WIRE_MARK);
		question->mark->request = ask->request;
		wire_mark(&frame, question->mark);
	}
	if (connect_once(ask, err) == 0 &&
		channel_send(&ask->channel, &frame, err) == 0)
		return 0;
	frame_close(&frame);
	question->is_lost = true;
	return -1;
}

static int
receive_answer(struct question *question, struct err *err)
{
	struct askmarks *ask = question->ask;
	struct wire_marked marked = {0};
	struct arena *arena;
	struct frame frame;
	bool is_right;

	if (!channel_wait(&ask->channel, question->until_ms))
		return err_temp(
			err, "4.3.0", "%s: no answer in time", ask->path);
	arena = arena_open();
	question->is_lost = channel_receive(&ask->channel, arena, &frame,
				    err) != LOOKUP_FOUND;
	if (question->is_lost) {
		arena_close(&arena);
		return -1;
	}
	is_right = frame.type == WIRE_MARKED;
	if (is_right) {
		wire_marked(&frame, &marked);
		is_right = frame_is_whole(&frame) &&
		           marked.request == ask->request;
	}
	question->answer = marked.state;
	frame_close(&frame);
	arena_close(&arena);
	return is_right ? 0
	                : err_temp(err, "4.3.0", "%s: a wrong answer",
				  ask->path);
}

static int
ask_once(struct question *question, struct err *err)
{
	question->is_lost = false;
	if (send_question(question, err) == 0 &&
		receive_answer(question, err) == 0)
		return 0;
	/* An answer that comes too late must not meet the next question. */
	askmarks_clear(question->ask);
	return -1;
}

/* State may have been started anew since the last question: then the connection
 * is an old one. */
static int
put_question(struct question *question, struct err *err)
{
	bool was_open = channel_is_open(&question->ask->channel);

	question->until_ms = clock_monotonic_ms() + question->ask->timeout_ms;
	if (ask_once(question, err) < 0 && (!was_open || !question->is_lost ||
						   ask_once(question, err) < 0))
		return -1;
	if (question->answer != WIRE_MARKS_UNABLE)
		return 0;
	return err_temp(err, "4.3.0", "%s: the data base cannot be %s",
		question->ask->path,
		question->seen != NULL ? "read" : "written");
}

enum lookup
askmarks_find(struct askmarks *ask, const unsigned char key[SEEN_KEY],
	struct err *err)
{
	struct wire_seen seen = {.request = 0};
	struct question question = {.ask = ask, .seen = &seen};

	memcpy(seen.key, key, sizeof(seen.key));
	if (put_question(&question, err) < 0)
		return LOOKUP_ERROR;
	return question.answer == WIRE_MARKS_YES ? LOOKUP_FOUND : LOOKUP_NONE;
}

static void
take_item(struct wire_mark_item *item, const struct seen_mark *mark)
{
	_Static_assert((int)WIRE_MARK_DUPLICATE == (int)SEEN_DUPLICATE &&
			       (int)WIRE_MARK_VACATION == (int)SEEN_VACATION &&
			       (int)WIRE_MARK_REDIRECT == (int)SEEN_REDIRECT,
		"kinds have the same order");

	memcpy(item->key, mark->key, sizeof(item->key));
	item->expires_s = mark->expires_s;
	item->kind = (enum wire_mark_kind)mark->kind;
}

static int
keep_some(struct askmarks *ask, struct arena *arena,
	const struct seen_mark *marks, size_t count, struct err *err)
{
	struct wire_mark mark = {
		.items = ARENA_ARRAY(arena, struct wire_mark_item, count),
		.count = count};
	struct question question = {.ask = ask, .mark = &mark};
	size_t i;

	for (i = 0; i < count; i++)
		take_item(&mark.items[i], &marks[i]);
	return put_question(&question, err);
}

enum lookup
askmarks_claim(
	struct askmarks *ask, const struct seen_mark *seen, struct err *err)
{
	struct wire_mark_item item;
	struct wire_mark mark = {.items = &item, .count = 1, .is_claim = true};
	struct question question = {.ask = ask, .mark = &mark};

	take_item(&item, seen);
	if (put_question(&question, err) < 0)
		return LOOKUP_ERROR;
	return question.answer == WIRE_MARKS_YES ? LOOKUP_FOUND : LOOKUP_NONE;
}

int
askmarks_keep(struct askmarks *ask, const struct seen_mark *marks, size_t count,
	struct err *err)
{
	struct arena *arena = arena_open();
	int result = 0;

	while (count > 0 && result == 0) {
		size_t some = count < WIRE_MARKS_MAX ? count : WIRE_MARKS_MAX;

		result = keep_some(ask, arena, marks, some, err);
		marks += some;
		count -= some;
	}
	arena_close(&arena);
	return result;
}
