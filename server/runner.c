/* runner - runs programs that scripts ask for, as the user whose script it is
 *
 *   started --RUNNER--> linked --RUN--> a program runs --RAN--> linked ...
 *
 * The one process of a user's that executes anything.  It believes its worker
 * nothing: which programs there are, and what they may use, is in its own settings.
 * It ends when the worker has let go of it, and with master.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "deliver/programs.h"
#include "server/child.h"
#include "server/confine.h"

#include "base/banned.h"

struct runner {
	struct child *child;
	struct channel worker; /* closed: it is not known yet */
	struct arena *arena;   /* of one frame and what it leads to */
};

enum next { NEXT_GO_ON, NEXT_END, NEXT_DIE };

/* ---- RUN ---- */

/* ORDER PROGRAM USES, ORDER PROGRAM ENDS */
_Static_assert((int)WIRE_USE_WARNING == (int)PROGRAM_WARNING, "uses");
_Static_assert((int)WIRE_END_IMPOSSIBLE == (int)PROGRAM_IMPOSSIBLE, "ends");

static void
run(struct runner *runner, const struct wire_run *wanted,
	struct program_answer *answer)
{
	const struct program_request request = {
		.use = (enum program_use)wanted->use,
		.name = wanted->name,
		.arguments = wanted->arguments,
		.argument_count = wanted->argument_count,
		.environment = {.user = wanted->user,
			.home = wanted->home,
			.host = wanted->host,
			.sender = wanted->sender,
			.recipient = wanted->recipient,
			.original = wanted->original},
		.input = wanted->input,
		.wants_output = wanted->wants_output,
		.most = wanted->most,
		.timeout_ms = wanted->timeout_ms,
	};

	programs_run(runner->child->settings, runner->arena, &request, answer);
}

/* -1: there is no room for it. */
static int
output_file(struct str output)
{
	int file = memfd_create("output", MFD_CLOEXEC);

	if (file >= 0 && fd_write(file, output) < 0)
		fd_close(&file);
	return file;
}

static enum next
send_answer(struct runner *runner, struct program_answer *answer)
{
	struct wire_ran ran = {
		.text = answer->text, .size = answer->output.len, .output = -1};
	struct frame frame;
	struct err err;
	int result;

	if (ran.size > 0)
		ran.output = output_file(answer->output);
	if (ran.size > 0 && ran.output < 0) {
		programs_refuse(answer, "no room for its output");
		ran.size = 0;
	}
	ran.end = (enum wire_end)answer->end;
	frame_begin(&frame, WIRE_RAN);
	wire_ran(&frame, &ran);
	result = channel_send(&runner->worker, &frame, &err);
	fd_close(&ran.output);
	/* It has given us up. */
	return result < 0 ? NEXT_END : NEXT_GO_ON;
}

static enum next
handle_run(struct runner *runner, struct frame *frame)
{
	struct wire_run wanted = {.input = -1};
	struct program_answer answer;
	enum next next = NEXT_DIE;

	wire_run(frame, &wanted);
	if (frame_is_whole(frame)) {
		run(runner, &wanted, &answer);
		next = send_answer(runner, &answer);
	} else {
		log_error("the worker broke the rules: a broken RUN");
	}
	fd_close(&wanted.input);
	return next;
}

static enum next
handle_worker(struct runner *runner)
{
	enum next next = NEXT_DIE;
	struct frame frame;
	struct err err;

	if (channel_receive(&runner->worker, runner->arena, &frame, &err) !=
		LOOKUP_FOUND)
		return NEXT_END;
	if (frame.type == WIRE_RUN)
		next = handle_run(runner, &frame);
	else
		log_error("the worker broke the rules: an unknown frame");
	frame_close(&frame);
	return next;
}

/* ---- master ---- */

static enum next
handle_link(struct runner *runner, struct frame *frame)
{
	struct wire_runner link = {.fd = -1};

	wire_runner(frame, &link);
	if (!frame_is_whole(frame) || link.fd < 0 ||
		channel_is_open(&runner->worker)) {
		log_error("master broke the rules: a broken RUNNER");
		fd_close(&link.fd);
		return NEXT_DIE;
	}
	channel_open(&runner->worker, link.fd, true);
	return NEXT_GO_ON;
}

static enum next
handle_master_frame(struct runner *runner, struct frame *frame)
{
	switch (frame->type) {
	case WIRE_RUNNER:
		return handle_link(runner, frame);
	case WIRE_DRAIN:
		return NEXT_END;
	case WIRE_LOGS:
		return child_take_logs(frame) ? NEXT_GO_ON : NEXT_DIE;
	default:
		log_error("master broke the rules: an unknown frame");
		return NEXT_DIE;
	}
}

static enum next
handle_master(struct runner *runner)
{
	struct frame frame;
	enum next next;
	struct err err;

	if (channel_receive(&runner->child->master, runner->arena, &frame,
		    &err) != LOOKUP_FOUND)
		return NEXT_END;
	next = handle_master_frame(runner, &frame);
	frame_close(&frame);
	return next;
}

/* ---- the loop ---- */

static enum next
step(struct runner *runner)
{
	struct pollfd wanted[] = {
		{.fd = runner->child->master.fd, .events = POLLIN},
		{.fd = runner->worker.fd, .events = POLLIN}};
	enum next next;

	if (poll(wanted, ARRAY_LENGTH(wanted), -1) < 0) {
		if (errno == EINTR)
			return NEXT_GO_ON;
		log_error("poll: %s", strerror(errno));
		return NEXT_DIE;
	}
	next = wanted[0].revents != 0 ? handle_master(runner)
	                              : handle_worker(runner);
	arena_close(&runner->arena);
	runner->arena = arena_open();
	return next;
}

int
runner_main(struct child *child)
{
	struct runner runner = {
		.child = child, .worker = {.fd = -1}, .arena = arena_open()};
	enum next next = NEXT_GO_ON;
	struct frame frame;
	struct err err;

	if (confine(child, NULL, 0, &err) < 0) {
		log_error("%s", err_log_text(&err));
		next = NEXT_DIE;
	} else {
		confine_ready(child, &frame);
		if (channel_send(&child->master, &frame, &err) < 0)
			next = NEXT_END;
	}
	while (next == NEXT_GO_ON)
		next = step(&runner);
	channel_close(&runner.worker);
	arena_close(&runner.arena);
	return next == NEXT_DIE ? 1 : 0;
}
