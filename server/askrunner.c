/* SPDX-License-Identifier: MIT */
#include "server/askrunner.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "server/wire.h"

#include "base/banned.h"

/* For a runner to start, and to kill what hangs. */
enum { PATIENCE_MS = 10 * 1000 };

void
askrunner_init(struct askrunner *asker)
{
	asker->link = (struct channel){.fd = -1};
}

void
askrunner_close(struct askrunner *asker)
{
	channel_close(&asker->link);
}

bool
askrunner_is_open(const struct askrunner *asker)
{
	return channel_is_open(&asker->link);
}

/* What can be read before we have asked is its end. */
static bool
has_runner(struct askrunner *asker)
{
	if (channel_is_open(&asker->link) && channel_wait(&asker->link, 0))
		channel_close(&asker->link);
	return channel_is_open(&asker->link);
}

static int
get_runner(struct askrunner *asker, struct channel *master, struct err *err)
{
	struct wire_runner runner;
	struct frame frame;
	int ends[2], result;

	if (channel_pair(ends) < 0)
		return err_temp_errno(err, "4.3.0", "socketpair");
	runner.fd = ends[1];
	frame_begin(&frame, WIRE_RUNNER);
	wire_runner(&frame, &runner);
	result = channel_send(master, &frame, err);
	fd_close(&ends[1]);
	channel_open(&asker->link, ends[0], true);
	if (result < 0)
		channel_close(&asker->link);
	return result;
}

static int
send_run(struct askrunner *asker, const struct program_request *request,
	struct err *err)
{
	struct wire_run run = {.use = (enum wire_use)request->use,
		.name = request->name,
		.arguments = (struct str *)(uintptr_t)request->arguments,
		.argument_count = request->argument_count,
		.user = request->environment.user,
		.home = request->environment.home,
		.host = request->environment.host,
		.sender = request->environment.sender,
		.recipient = request->environment.recipient,
		.original = request->environment.original,
		.input = request->input,
		.wants_output = request->wants_output,
		.most = request->most,
		.timeout_ms = request->timeout_ms};
	struct frame frame;

	frame_begin(&frame, WIRE_RUN);
	wire_run(&frame, &run);
	return channel_send(&asker->link, &frame, err);
}

/* Its file is not believed to be as long as it says, or as short. */
static bool
read_output(const struct wire_ran *ran, uint64_t most, struct arena *arena,
	struct str *output_out)
{
	ssize_t got;
	char *bytes;

	*output_out = STR_EMPTY;
	if (ran->size == 0)
		return true;
	if (ran->output < 0 || ran->size > most)
		return false;
	bytes = arena_alloc(arena, (size_t)ran->size);
	got = fd_read_at(ran->output, bytes, (size_t)ran->size, 0);
	*output_out = str_of(bytes, (size_t)ran->size);
	return got >= 0 && (uint64_t)got == ran->size;
}

static void
break_off(
	struct askrunner *asker, struct program_answer *answer, const char *why)
{
	programs_refuse(answer, why);
	answer->end = PROGRAM_BROKEN;
	channel_close(&asker->link);
}

static void
take_answer(struct askrunner *asker, struct frame *frame, struct arena *arena,
	const struct program_request *request, struct program_answer *answer)
{
	struct wire_ran ran = {.output = -1};
	struct str output = STR_EMPTY;

	if (frame->type == WIRE_RAN)
		wire_ran(frame, &ran);
	if (frame->type != WIRE_RAN || !frame_is_whole(frame) ||
		!read_output(&ran, request->most, arena, &output)) {
		break_off(asker, answer, "the runner broke the rules");
	} else {
		programs_refuse(answer, ran.text != NULL ? ran.text : "");
		answer->end = (enum program_end)ran.end;
		answer->output = output;
	}
	fd_close(&ran.output);
}

static void
wait_for_answer(struct askrunner *asker, struct arena *arena,
	const struct program_request *request, struct program_answer *answer)
{
	uint64_t until =
		clock_monotonic_ms() + request->timeout_ms + PATIENCE_MS;
	struct frame frame;
	struct err err;

	if (!channel_wait(&asker->link, until)) {
		break_off(asker, answer, "the runner does not answer");
		return;
	}
	if (channel_receive(&asker->link, arena, &frame, &err) !=
		LOOKUP_FOUND) {
		break_off(asker, answer, "the runner has died");
		return;
	}
	take_answer(asker, &frame, arena, request, answer);
	frame_close(&frame);
}

void
askrunner_run(struct askrunner *asker, struct channel *master,
	struct arena *arena, const struct program_request *request,
	struct program_answer *answer)
{
	struct err err;

	err_clear(&err);
	if ((!has_runner(asker) && get_runner(asker, master, &err) < 0) ||
		send_run(asker, request, &err) < 0) {
		programs_refuse(answer, err_log_text(&err));
		channel_close(&asker->link);
		return;
	}
	wait_for_answer(asker, arena, request, answer);
}
