/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"
#include "tests/unit/sieve/world.h"

#include "base/banned.h"

/* What is open, so that leaks of the engine are the only ones. */
static struct world *worlds;
static struct arena *texts;

static void
close_all(void)
{
	while (worlds != NULL)
		world_close(worlds);
	arena_close(&texts);
}

static void
close_at_end(void)
{
	if (texts == NULL) {
		texts = arena_open();
		atexit(close_all);
	}
}

static struct world *
world_from(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct world, host);
}

static const struct message *
answer_message(struct sieve_host *host)
{
	return world_from(host)->message;
}

static bool
answer_envelope(struct sieve_host *host UNUSED,
	enum sieve_envelope_part part UNUSED, struct address *address UNUSED)
{
	return false;
}

static enum lookup
answer_mailbox_exists(struct sieve_host *host, struct str mailbox UNUSED,
	struct err *err UNUSED)
{
	world_from(host)->questions++;
	return LOOKUP_FOUND;
}

static const struct sieve_host_ops ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
};

struct world *
world_of_message(struct str message)
{
	static const struct message_limits limits = {
		.memory_bytes = 64 * 1024 * 1024,
		.header_bytes = 64 * 1024 * 1024,
		.header_fields = 10 * 1000 * 1000,
		.temp_folder = "/tmp",
	};
	struct arena *arena = arena_open();
	struct world *world = ARENA_NEW(arena, struct world);

	world->arena = arena;
	world->host.ops = &ops;
	world->result.arena = arena;
	sieve_report_init(&world->report, arena);
	if (message_open_bytes(message, &limits, &world->message, &world->err) <
		0)
		BUG("no message: %s", world->err.text);
	close_at_end();
	world->next = worlds;
	worlds = world;
	return world;
}

void
world_close(struct world *world)
{
	struct world **at = &worlds;
	struct arena *arena = world->arena;

	while (*at != world)
		at = &(*at)->next;
	*at = world->next;
	message_close(&world->message);
	arena_close(&arena);
}

struct str
world_keep(struct buf *buf)
{
	struct str kept;

	close_at_end();
	kept = arena_copy(texts, buf_view(buf));
	buf_clear(buf);
	return kept;
}

struct sieve_program *
world_compile(struct world *world, struct str script)
{
	struct sieve_program *program;

	if (sieve_compile(world->arena, &world->settings, "script", script,
		    &program, &world->report) < 0)
		return NULL;
	return program;
}

enum sieve_status
world_run(struct world *world, const char *script)
{
	struct sieve_program *program = world_compile(world, str_from(script));

	if (program == NULL)
		return SIEVE_FAILED;
	return sieve_run(program, &world->settings, &world->host,
		&world->result, &world->report, &world->err);
}

const char *
world_actions(const struct world *world)
{
	struct sieve_action keep = {
		.kind = SIEVE_KEEP, .keep = {.flags = world->result.flags}};
	const char *text = "";
	size_t i, count = world->result.count;

	if (world->result.implicit_keep)
		count++;
	for (i = 0; i < count; i++) {
		const struct sieve_action *action =
			i < world->result.count ? &world->result.actions[i]
						: &keep;

		text = arena_format(world->arena, "%s%s%.*s%s", text,
			i > 0 ? "; " : "",
			STR_ARG(sieve_action_text(world->arena, action)),
			sieve_action_tags(action));
	}
	return text;
}

const char *
world_problem(const struct world *world)
{
	const struct sieve_problem *problem = world->report.problems;

	if (world->report.count == 0)
		return "";
	return arena_format(world->arena, "%u:%u: %s", problem->line,
		problem->column, problem->text);
}
