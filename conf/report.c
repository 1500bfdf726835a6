/* SPDX-License-Identifier: MIT */
#include "conf/report.h"

#include <stdarg.h>

#include "base/banned.h"

static void
add(struct arena *arena, struct conf_report *report,
	struct conf_problem problem, const char *format, va_list args)
{
	size_t count = report->count;

	if (count == CONF_PROBLEMS_MAX)
		return;
	/* Room is doubled whenever the count is a power of two. */
	if ((count & (count - 1)) == 0)
		report->problems = arena_grow(arena, report->problems,
			sizeof(*report->problems), count,
			count == 0 ? 1 : 2 * count);
	problem.text = arena_vformat(arena, format, args);
	report->problems[report->count++] = problem;
}

void
conf_report_error(struct arena *arena, struct conf_report *report,
	struct conf_place place, const char *format, ...)
{
	va_list args;

	report->errors++;
	va_start(args, format);
	add(arena, report, (struct conf_problem){false, place, NULL}, format,
		args);
	va_end(args);
}

void
conf_report_warning(struct arena *arena, struct conf_report *report,
	struct conf_place place, const char *format, ...)
{
	va_list args;

	if (!report->is_thorough)
		return;
	report->warnings++;
	va_start(args, format);
	add(arena, report, (struct conf_problem){true, place, NULL}, format,
		args);
	va_end(args);
}

const char *
conf_problem_text(struct arena *arena, const struct conf_problem *problem)
{
	const char *word = problem->is_warning ? "warning" : "error";

	if (problem->place.line == 0)
		return arena_format(arena, "%s: %s: %s", problem->place.file,
			word, problem->text);
	return arena_format(arena, "%s:%u: %s: %s", problem->place.file,
		problem->place.line, word, problem->text);
}

/* NULL when all there is are warnings. */
static const struct conf_problem *
first_error(const struct conf_report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		if (!report->problems[i].is_warning)
			return &report->problems[i];
	return NULL;
}

int
conf_report_err(const struct conf_report *report, struct err *err)
{
	const struct conf_problem *first = first_error(report);
	char more[64] = "";

	if (first == NULL)
		return err_temp(err, "4.3.5", "wrong configuration");
	if (report->errors > 1)
		(void)snprintf(more, sizeof(more),
			" (and %zu more: doorstep config check)",
			report->errors - 1);
	if (first->place.line == 0)
		return err_temp(err, "4.3.5", "%s: %s%s", first->place.file,
			first->text, more);
	return err_temp(err, "4.3.5", "%s:%u: %s%s", first->place.file,
		first->place.line, first->text, more);
}
