/* SPDX-License-Identifier: MIT */
#include "server/askwait.h"

#include "base/clock.h"
#include "base/fd.h"

#include "base/banned.h"

enum { PATIENCE_MS = 10 * 1000 };

static int
send_question(
	struct channel *master, enum wire_wait what, int fd, struct err *err)
{
	struct wire_wait_order order = {.what = what, .answer = fd};
	struct frame frame;

	frame_begin(&frame, WIRE_WAIT);
	wire_wait_order(&frame, &order);
	return channel_send(master, &frame, err);
}

static int
refuse(enum wire_wait what, struct err *err)
{
	err_set(err, ERR_TEMPORARY, "4.3.2",
		"Too much other mail waits for the same at the moment");
	switch (what) {
	case WIRE_WAIT_MAIL:
		err_detail(err, "as many deliveries as may are waiting until "
				"mail is taken (mailer_wait_limit)");
		break;
	case WIRE_WAIT_PROGRAM:
		err_detail(err, "as many deliveries as may are waiting for "
				"programs (program_wait_limit)");
		break;
	}
	return -1;
}

static int
receive_answer(struct channel *link, enum wire_wait what, struct err *err)
{
	struct wire_may_wait answer = {.is_granted = false};
	struct arena *arena;
	struct frame frame;
	bool is_right;

	if (!channel_wait(link, clock_monotonic_ms() + PATIENCE_MS))
		return err_temp(err, "4.3.0", "master does not answer");
	arena = arena_open();
	is_right = channel_receive(link, arena, &frame, err) == LOOKUP_FOUND;
	if (is_right) {
		is_right = frame.type == WIRE_MAY_WAIT;
		if (is_right)
			wire_may_wait(&frame, &answer);
		is_right = is_right && frame_is_whole(&frame);
		frame_close(&frame);
	}
	arena_close(&arena);
	if (!is_right)
		return err_temp(err, "4.3.0", "master gave a wrong answer");
	return answer.is_granted ? 0 : refuse(what, err);
}

int
askwait_begin(struct channel *master, enum wire_wait what, struct err *err)
{
	struct channel link;
	int ends[2], result;

	if (channel_pair(ends) < 0)
		return err_temp_errno(err, "4.3.0", "socketpair");
	result = send_question(master, what, ends[1], err);
	fd_close(&ends[1]);
	channel_open(&link, ends[0], true);
	if (result == 0)
		result = receive_answer(&link, what, err);
	channel_close(&link);
	return result;
}

void
askwait_end(struct channel *master, enum wire_wait what)
{
	struct wire_wait_order order = {.what = what, .answer = -1};
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_WAITED);
	wire_wait_order(&frame, &order);
	if (channel_send(master, &frame, &err) < 0)
		return; /* the loop will see that it has gone */
}
