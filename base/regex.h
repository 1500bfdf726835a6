/* regex - Perl-compatible patterns from users, with limits on what they cost
 *
 * The only file that knows PCRE2.  No compiler for machine code: it pays only
 * after some hundred matches.  Pure but for asking for memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

struct regex_limits {
	size_t pattern_bytes; /* length of a pattern */
	uint32_t paren_depth; /* parentheses within parentheses */
	uint32_t match_steps; /* PCRE2's match limit */
	uint32_t match_depth; /* PCRE2's depth limit */
	uint32_t heap_kib;    /* memory of one match */
};
extern const struct regex_limits regex_default_limits;

enum regex_option {
	REGEX_NOCASE = 1,
	REGEX_UTF8 = 2, /* "." is a code point; a subject may be broken */
	/* For ere.h: "." is any code point, a line end too; \w and \b know ASCII
	 * only; subjects have to be UTF-8. */
	REGEX_CODE_POINTS = 4
};

/* Groups that a match gives back, the whole match (0) included. */
enum { REGEX_GROUPS_MAX = 100 };

struct regex;

/* `options` are enum regex_option or'ed; `limits` NULL for the defaults.
 * -1 with 5.6.0 and a text that says what is wrong and where in the pattern. */
MUST_USE int regex_open(struct str pattern, unsigned options,
	const struct regex_limits *limits, struct regex **regex_out,
	struct err *err);
void regex_close(struct regex **regex);

/* Puts up to `max` groups into `groups`, views of the subject; a group that took
 * no part is empty with data NULL.  groups_out may be NULL when max is 0.
 * LOOKUP_ERROR when a limit was hit: whether that is "no match" is the caller's
 * decision, but it is worth a line in the log. */
enum lookup regex_match(const struct regex *regex, struct str subject,
	struct str *groups, size_t max, struct err *err) MUST_USE;

/* ---- patterns that are never changed, for several matchers at once ---- */

/* As regex_open(), but all of it lives in the arena and is not closed. */
struct regex_pattern;
MUST_USE int regex_pattern_in(struct arena *arena, struct str pattern,
	unsigned options, const struct regex_limits *limits,
	struct regex_pattern **pattern_out, struct err *err);

/* What one thread needs to match; lives in the arena, which takes what a match
 * needs, too. */
struct regex_matcher;
struct regex_matcher *regex_matcher_in(
	struct arena *arena, const struct regex_limits *limits);

/* Octets of the subject. */
struct regex_span {
	size_t from, to;
};

enum regex_result {
	REGEX_NO_MATCH,
	REGEX_MATCH,
	REGEX_OVER_STEPS, /* `steps` were not enough */
	REGEX_OVER_LIMIT  /* memory or depth were not, or another failure */
};

/* Stops after `steps` of PCRE2.  On a match *count_out groups are in `spans`, at
 * most `max`; one that took no part is empty. */
enum regex_result regex_pattern_match(const struct regex_pattern *pattern,
	struct regex_matcher *matcher, uint32_t steps, struct str subject,
	struct regex_span *spans, size_t max, size_t *count_out);

#endif
