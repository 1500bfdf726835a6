/* fuzz-ere - what the translator accepts PCRE2 understands
 *
 * The input is a pattern, a NUL byte and a subject.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/ere.h"
#include "base/regex.h"
#include "base/utf8.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 1000, SPANS = 33 };

static const struct regex_limits limits = {
	.pattern_bytes = 64 * 1024,
	.paren_depth = ERE_DEPTH_MOST + 10,
	.match_depth = 1000,
	.heap_kib = 256,
};

static bool
is_boundary(struct str s, size_t at)
{
	return at == s.len || ((unsigned char)s.data[at] & 0xc0) != 0x80;
}

static void
match(struct arena *arena, const struct regex_pattern *regex, struct str s)
{
	struct regex_span spans[SPANS];
	size_t count = 0, i;

	if (regex_pattern_match(regex, regex_matcher_in(arena, &limits), STEPS,
		    s, spans, SPANS, &count) != REGEX_MATCH)
		return;
	if (count == 0 || count > SPANS)
		abort();
	for (i = 0; i < count; i++)
		if (spans[i].from > spans[i].to || spans[i].to > s.len ||
			!is_boundary(s, spans[i].from) ||
			!is_boundary(s, spans[i].to))
			abort();
}

static void
check(struct arena *arena, struct str pattern, unsigned options,
	struct str subject)
{
	struct regex_pattern *regex;
	struct str translated;
	struct err err;

	if (ere_translate(arena, pattern, options, &translated, &err) < 0)
		return;
	if (regex_pattern_in(arena, translated, REGEX_CODE_POINTS, &limits,
		    &regex, &err) < 0) {
		/* Size is the only thing that the translator cannot judge. */
		if (str_find(str_from(err.text), STR("too")) ==
			str_from(err.text).len)
			abort();
		return;
	}
	if (utf8_is_valid(subject))
		match(arena, regex, subject);
}

static void
check_quoted(struct arena *arena, struct str s)
{
	struct str translated;
	struct err err;

	if (s.len <= ERE_BYTES_MOST / 2 && utf8_is_valid(s) &&
		ere_translate(
			arena, ere_quote(arena, s), 0, &translated, &err) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open();
	struct str input = str_of((const char *)data, size);
	size_t end = str_find_char(input, '\0');
	struct str pattern = str_slice(input, 0, end);
	struct str subject = str_skip(input, end + 1);

	check(arena, pattern, 0, subject);
	check(arena, pattern, ERE_NOCASE, subject);
	check_quoted(arena, pattern);
	arena_close(&arena);
	return 0;
}
