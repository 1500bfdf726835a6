/* The log of errors that test_error looks into
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

static void
skip_log(struct world *world)
{
	size_t count = world->error_count;

	errors_read_log(world);
	world->error_count = count;
}

void
errors_clear(struct world *world)
{
	skip_log(world);
	world->error_count = 0;
}

static void
add(struct world *world, struct str text, struct str located)
{
	if (world->error_count == world->error_size) {
		size_t size = world->error_size ? world->error_size * 2 : 16;

		world->errors = arena_grow(world->arena, world->errors,
			sizeof(*world->errors), world->error_count, size);
		world->error_size = size;
	}
	world->errors[world->error_count++] =
		(struct logged){arena_copy(world->arena, text),
			arena_copy(world->arena, located)};
	if (world->options->echoes_log)
		printf("error: %.*s\n", STR_ARG(located));
}

void
errors_add(struct world *world, struct str text)
{
	add(world, text, text);
}

static void
add_problem(struct world *world, const struct sieve_problem *problem)
{
	add(world, str_from(problem->text),
		str_from(arena_format(world->arena, "%u:%u: %s", problem->line,
			problem->column, problem->text)));
}

const struct str *
errors_list(struct world *world, bool is_located)
{
	struct str *texts =
		ARENA_ARRAY(world->arena, struct str, world->error_count + 1);
	size_t i;

	for (i = 0; i < world->error_count; i++)
		texts[i] = is_located ? world->errors[i].located
		                      : world->errors[i].text;
	return texts;
}

/* Could that script not even be read?  Then what it means is not looked at. */
static bool
has_bad_syntax(const struct sieve_report *report, const char *script)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		if (report->problems[i].is_syntax &&
			strcmp(report->problems[i].script, script) == 0)
			return true;
	return false;
}

/* The summary of an included script is the error at its include. */
void
errors_add_report(struct world *world, const struct sieve_report *report,
	const char *compiled)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct sieve_problem *problem = &report->problems[i];

		if (!problem->is_warning &&
			problem->is_syntax ==
				has_bad_syntax(report, problem->script))
			add_problem(world, problem);
	}
	if (compiled != NULL && report->errors > 0)
		errors_add(world, has_bad_syntax(report, compiled)
					  ? STR("parsing failed")
					  : STR("validation failed"));
}

/* "PREFIX Error: TEXT" */
static struct str
text_of(struct str line)
{
	const struct str level = STR("Error: ");
	size_t at = str_find(line, level);

	return at < line.len ? str_skip(line, at + level.len) : line;
}

void
errors_read_log(struct world *world)
{
	struct buf log;
	struct str rest, line;

	buf_init(&log, BUF_UNLIMITED);
	if (fd_read_file(arena_format(world->arena, "%s/errors", world->work),
		    &log) == 0) {
		rest = str_skip(buf_view(&log), world->log_read);
		world->log_read = log.len;
		while (str_next_field(&rest, '\n', &line))
			if (line.len > 0)
				errors_add(world, text_of(line));
	}
	buf_clear(&log);
}
