/* SPDX-License-Identifier: MIT */
#include "sieve/report.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

#include "base/banned.h"

enum { QUOTED_BYTES = 60 };

void
sieve_report_init(struct sieve_report *report, struct arena *arena)
{
	*report = (struct sieve_report){.arena = arena};
}

const char *
sieve_problem_word(const struct sieve_problem *problem)
{
	if (problem->is_note)
		return "info";
	return problem->is_warning ? "warning" : "error";
}

void
reporter_init(struct reporter *reporter, struct sieve_report *report,
	const char *script, size_t most)
{
	*reporter = (struct reporter){
		.report = report,
		.script = arena_text(report->arena, str_from(script)),
		.most = most,
		.first = report->count,
	};
}

static struct sieve_problem *
problem_new(struct sieve_report *report)
{
	if (report->count == report->size) {
		size_t size = report->size > 0 ? report->size * 2 : 8;

		report->problems = arena_grow(report->arena, report->problems,
			sizeof(*report->problems), report->count, size);
		report->size = size;
	}
	return &report->problems[report->count++];
}

static void
add(struct reporter *reporter, struct position at, bool is_warning,
	const char *format, va_list args)
{
	struct sieve_report *report = reporter->report;

	*problem_new(report) = (struct sieve_problem){
		.script = reporter->script,
		.line = at.line,
		.column = at.column,
		.is_warning = is_warning,
		.is_syntax = reporter->is_syntax,
		.text = arena_vformat(report->arena, format, args),
	};
}

void
report_verror(struct reporter *reporter, struct position at, const char *format,
	va_list args)
{
	if (reporter->errors == reporter->most) {
		reporter->report->is_full = true;
		return;
	}
	reporter->errors++;
	reporter->report->errors++;
	add(reporter, at, false, format, args);
}

void
report_error(
	struct reporter *reporter, struct position at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_verror(reporter, at, format, args);
	va_end(args);
}

/* Warnings and notes share the errors' number, so that a hostile script cannot
 * fill the memory with them.  The new one, or NULL. */
static struct sieve_problem *
add_mild(struct reporter *reporter, struct position at, const char *format,
	va_list args)
{
	struct sieve_report *report = reporter->report;
	size_t told = report->count - reporter->first - reporter->errors;

	if (told >= reporter->most)
		return NULL;
	add(reporter, at, true, format, args);
	return &report->problems[report->count - 1];
}

void
report_warning(
	struct reporter *reporter, struct position at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_mild(reporter, at, format, args);
	va_end(args);
}

void
report_note(
	struct reporter *reporter, struct position at, const char *format, ...)
{
	struct sieve_problem *note;
	va_list args;

	va_start(args, format);
	note = add_mild(reporter, at, format, args);
	va_end(args);
	if (note != NULL)
		note->is_note = true;
}

const char *
report_quote(struct reporter *reporter, struct str text)
{
	struct str shown = utf8_cut(text, QUOTED_BYTES);
	struct buf buf;
	char *copy;
	size_t i;

	buf_init(&buf, 4 * QUOTED_BYTES);
	buf_add_char(&buf, '"');
	utf8_add_repaired(&buf, shown);
	for (i = 1; i < buf.len; i++)
		if ((unsigned char)buf.data[i] < ' ' || buf.data[i] == 0x7f)
			buf.data[i] = '?';
	buf_add_text(&buf, shown.len < text.len ? "...\"" : "\"");
	copy = arena_text(reporter->report->arena, buf_view(&buf));
	buf_clear(&buf);
	return copy;
}

const char *
report_one_line(struct reporter *reporter, struct str text, size_t most)
{
	struct buf buf;
	char *copy;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	utf8_add_repaired(&buf, utf8_cut(text, most));
	for (i = 0; i < buf.len; i++)
		if ((unsigned char)buf.data[i] < ' ' || buf.data[i] == 0x7f)
			buf.data[i] = ' ';
	copy = arena_text(reporter->report->arena, str_trim(buf_view(&buf)));
	buf_clear(&buf);
	return copy;
}

void
report_append(struct sieve_report *report, const struct sieve_report *other)
{
	size_t i;

	for (i = 0; i < other->count; i++)
		*problem_new(report) = other->problems[i];
	report->errors += other->errors;
	report->is_full = report->is_full || other->is_full;
}

static bool
is_before(const struct sieve_problem *a, const struct sieve_problem *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void
reporter_sort(struct reporter *reporter)
{
	struct sieve_problem *problems = reporter->report->problems;
	size_t i, at;

	for (i = reporter->first + 1; i < reporter->report->count; i++) {
		struct sieve_problem moved = problems[i];

		for (at = i; at > reporter->first; at--) {
			if (!is_before(&moved, &problems[at - 1]))
				break;
			problems[at] = problems[at - 1];
		}
		problems[at] = moved;
	}
}
