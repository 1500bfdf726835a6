/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/arena.h"
#include "sieve/sieve.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Errors are told with a place in the script, in order, or there are none. */
static void
check_report(const struct sieve_report *report, struct str script)
{
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct sieve_problem *problem = &report->problems[i];

		if (problem->line == 0 || problem->column == 0 ||
			problem->line > script.len + 1 ||
			problem->column > script.len + 1)
			abort();
		if (i > 0 && problem[-1].line > problem->line)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sieve_settings settings = {.max_nesting = 8,
		.max_errors = 5,
		.max_string = 300,
		.max_variables = 4};
	struct str script = str_of((const char *)data, size);
	struct arena *arena = arena_open();
	struct arena *report_arena = arena_open();
	struct sieve_program *program;
	struct sieve_report report;
	int result;

	sieve_report_init(&report, report_arena);
	result = sieve_compile(
		arena, &settings, "fuzz", script, &program, &report);
	/* What the report says does not live in the program. */
	arena_close(&arena);
	if ((result < 0) != (report.errors > 0) ||
		(result == 0) != (program != NULL))
		abort();
	check_report(&report, script);
	arena_close(&report_arena);
	return 0;
}
