/* report - where something is wrong in a script, and how it is told
 *
 * One reporter serves one compilation or one run; it adds to the caller's
 * struct sieve_report until the largest number of errors is reached.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_REPORT_H
#define SIEVE_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"
#include "sieve/sieve.h"

struct position {
	unsigned line;
	unsigned column; /* code points */
};

struct reporter {
	struct sieve_report *report;
	const char *script; /* in the report's arena */
	size_t errors;      /* told by this reporter */
	size_t most;        /* errors; further ones are dropped */
	bool is_syntax;     /* what is told now is about syntax */
	size_t first;       /* index of the first problem of this reporter */
};

void reporter_init(struct reporter *reporter, struct sieve_report *report,
	const char *script, size_t most);

void report_error(struct reporter *reporter, struct position at,
	const char *format, ...) PRINTF_LIKE(3, 4);
void report_verror(struct reporter *reporter, struct position at,
	const char *format, va_list args) PRINTF_LIKE(3, 0);
void report_warning(struct reporter *reporter, struct position at,
	const char *format, ...) PRINTF_LIKE(3, 4);

/* Something that a script wants told; neither an error nor a warning. */
void report_note(struct reporter *reporter, struct position at,
	const char *format, ...) PRINTF_LIKE(3, 4);

/* `text` in double quotes, shortened, without control characters. */
const char *report_quote(struct reporter *reporter, struct str text);

/* `text` of a script as one line of at most `most` bytes, in the report's arena:
 * without control characters, and repaired where it is no UTF-8. */
const char *report_one_line(
	struct reporter *reporter, struct str text, size_t most);

/* Adds the problems of `other`, which lives in the same arena. */
void report_append(
	struct sieve_report *report, const struct sieve_report *other);

/* This reporter's problems in the order of the script. */
void reporter_sort(struct reporter *reporter);

#endif
