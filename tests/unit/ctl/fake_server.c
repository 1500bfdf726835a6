/* fake_server - what `doorstep` sees of a server, and nothing else
 *
 *   fake_server BASE_DIR good|bad|deaf
 *
 * Writes "ready" when it can be asked.  A reload works, fails, or is not done;
 * SIGTERM ends it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/control.h"
#include "server/run_files.h"

#include "base/banned.h"

enum { LOOK_EVERY_MS = 10 };

struct fake {
	struct control control;
	struct loop *loop;
	struct loop_timer timer;
	struct run_files files;
	struct run_status status;
	const char *behaviour;
};

static volatile sig_atomic_t is_hup, is_term;

static void
note(int number)
{
	if (number == SIGHUP)
		is_hup = 1;
	else
		is_term = 1;
}

static void
describe(struct control *control, struct arena *arena,
	struct control_status *status)
{
	static const char *const listeners[] = {"/run/doorstep/lmtp"};
	static const struct wire_counter counters[] = {{"connections", 7}};
	static const struct wire_counter memory[] = {{"entries", 3},
		{"held", 1}, {"marks", 9}, {"marks_duplicate", 2},
		{"marks_vacation", 3}, {"marks_redirect", 4},
		{"marks_next_expiry", 1793396358}};
	static const struct control_process processes[] = {
		{.kind = "state",
			.pid = 4710,
			.uid = 998,
			.state = "running",
			.since_s = 1793396358,
			.counters = memory,
			.counter_count = ARRAY_LENGTH(memory)},
		{.kind = "worker",
			.pid = 4711,
			.uid = 1000,
			.generation = 1,
			.state = "idle",
			.jobs = 12,
			.since_s = 1793396358,
			.confinement = "Landlock, seccomp"}};
	struct fake *fake = CONTAINER_OF(control, struct fake, control);

	(void)arena;
	*status = (struct control_status){.version = "9.9",
		.pid = 4242,
		.state = "running",
		.uid = 1000,
		.since_s = 1793396358,
		.generation = fake->status.generation,
		.reload_error = fake->status.error,
		.listeners = listeners,
		.listener_count = 1,
		.processes = processes,
		.process_count = ARRAY_LENGTH(processes),
		.counters = counters,
		.counter_count = 1};
}

static void
reload(struct fake *fake)
{
	struct err err;

	is_hup = 0;
	if (strcmp(fake->behaviour, "deaf") == 0)
		return;
	fake->status.reloads++;
	if (strcmp(fake->behaviour, "bad") == 0)
		fake->status.error = "port 24 is taken";
	else
		fake->status.generation++;
	if (run_files_write(&fake->files, &fake->status, &err) < 0)
		loop_stop(fake->loop);
}

static void
look(struct loop_timer *timer)
{
	struct fake *fake = CONTAINER_OF(timer, struct fake, timer);

	if (is_term)
		loop_stop(fake->loop);
	if (is_hup)
		reload(fake);
	loop_timer(fake->loop, timer, clock_monotonic_ms() + LOOK_EVERY_MS);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_open();
	struct fake fake = {.control.describe = describe,
		.timer.fire = look,
		.status = {.state = RUN_RUNNING, .generation = 1, .error = ""}};
	struct err err;

	if (argc != 3)
		return 64;
	fake.behaviour = argv[2];
	signal(SIGHUP, note);
	signal(SIGTERM, note);
	if (loop_open(&fake.loop) < 0 ||
		run_files_open(arena, argv[1], &fake.files, &err) < 0 ||
		run_files_write(&fake.files, &fake.status, &err) < 0 ||
		control_open(&fake.control, fake.loop, arena, argv[1], &err) <
			0)
		return 1;
	puts("ready");
	fflush(stdout);
	look(&fake.timer);
	loop_run(fake.loop);
	control_close(&fake.control);
	run_files_close(&fake.files);
	loop_close(&fake.loop);
	arena_close(&arena);
	return 0;
}
