/* regex - :regex and :quoteregex (draft-ietf-sieve-regex)
 *
 * Patterns are POSIX's (base/ere.h), the matcher is PCRE2's with limits
 * (base/regex.h): of several ways to match the leftmost one is taken, and of
 * those that begin there the first one in the order of the pattern, not the
 * longest.
 *
 * A value is matched in the form of its comparator: small letters for
 * i;ascii-casemap, and the pattern is translated accordingly.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/ere.h"
#include "base/regex.h"
#include "base/utf8.h"
#include "sieve/match.h"
#include "sieve/registry.h"

#include "base/banned.h"

enum { CACHED = 16 }; /* patterns with variables that a run keeps */

static const struct regex_limits limits = {
	/* A translated pattern is longer than what was written. */
	.pattern_bytes = 64 * 1024,
	.paren_depth = ERE_DEPTH_MOST + 10,
	.match_depth = 5000,
	.heap_kib = 1024,
};

/* Steps of PCRE2 that are tried in turn, and what each try costs, in octets: a
 * pattern pays for what it needs. */
static const struct {
	uint32_t steps;
	uint64_t octets;
} tries[] = {
	{1000, UINT64_C(16) * 1024},
	{10 * 1000, UINT64_C(1000) * 1024},
	{100 * 1000, UINT64_C(10000) * 1024},
};

struct cached {
	struct str text;
	const struct comparator *comparator;
	struct regex_pattern *regex;
};

struct match_memory {
	struct arena *arena;
	struct regex_matcher *matcher; /* NULL: not needed so far */
	struct cached cached[CACHED];
	size_t count;
};

struct match_memory *
match_memory_open(struct arena *arena)
{
	struct match_memory *memory = ARENA_NEW(arena, struct match_memory);

	memory->arena = arena;
	return memory;
}

/* ---- patterns ---- */

static int
compile(struct arena *arena, const struct comparator *comparator,
	struct str text, struct regex_pattern **regex_out, struct err *err)
{
	unsigned options =
		comparator == &comparator_ascii_casemap ? ERE_NOCASE : 0;
	struct str translated;

	if (ere_translate(arena, text, options, &translated, err) < 0)
		return -1;
	return regex_pattern_in(
		arena, translated, REGEX_CODE_POINTS, &limits, regex_out, err);
}

static const struct regex_pattern *
find_cached(const struct match_memory *memory,
	const struct comparator *comparator, struct str text)
{
	size_t i;

	for (i = 0; i < memory->count; i++)
		if (memory->cached[i].comparator == comparator &&
			str_equal(memory->cached[i].text, text))
			return memory->cached[i].regex;
	return NULL;
}

/* Compiles into the cache while there is room, else for this comparison. */
static int
compile_cached(struct match_memory *memory, struct arena *arena,
	const struct comparator *comparator, struct match_key *key,
	struct err *err)
{
	struct cached *cached = &memory->cached[memory->count];
	struct regex_pattern *regex;

	if (memory->count == CACHED) {
		if (compile(arena, comparator, key->text, &regex, err) < 0)
			return -1;
		key->regex = regex;
		return 0;
	}
	if (compile(memory->arena, comparator, key->text, &cached->regex, err) <
		0)
		return -1;
	cached->comparator = comparator;
	cached->text = arena_copy(memory->arena, key->text);
	memory->count++;
	key->regex = cached->regex;
	return 0;
}

static int
prepare_regex(struct arena *arena, const struct comparator *comparator,
	struct match_memory *memory, struct match_key *key, struct err *err)
{
	struct regex_pattern *regex;

	if (memory != NULL) {
		key->regex = find_cached(memory, comparator, key->text);
		if (key->regex != NULL)
			return 0;
		return compile_cached(memory, arena, comparator, key, err);
	}
	if (compile(arena, comparator, key->text, &regex, err) < 0)
		return -1;
	key->regex = regex;
	return 0;
}

/* ---- matches ---- */

/* The same with another octet for each one that is not UTF-8; all keep their
 * places. */
static struct str
repaired(struct arena *arena, struct str value)
{
	enum { SUBSTITUTE = 0x1a };
	char *copy = arena_alloc(arena, value.len + 1);
	size_t at = 0, from;
	uint32_t code;

	while (at < value.len) {
		from = at;
		if (utf8_next(value, &at, &code))
			memcpy(copy + from, value.data + from, at - from);
		else
			copy[at++] = SUBSTITUTE;
	}
	return str_of(copy, value.len);
}

static enum regex_result
try_steps(const struct match_key *key, struct str value,
	struct match_work *work, struct regex_span *spans, size_t *count)
{
	enum regex_result result = REGEX_OVER_STEPS;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(tries) && result == REGEX_OVER_STEPS;
		i++) {
		if (!match_pay(work, tries[i].octets))
			return REGEX_NO_MATCH;
		result = regex_pattern_match(key->regex, work->memory->matcher,
			tries[i].steps, value, spans, MOST_CAPTURES, count);
	}
	return result;
}

static bool
matches_regex(
	const struct match_key *key, struct str value, struct match_work *work)
{
	struct regex_span spans[MOST_CAPTURES];
	size_t count = 0, i;

	if (!match_pay(work, value.len))
		return false;
	if (work->memory->matcher == NULL)
		work->memory->matcher =
			regex_matcher_in(work->memory->arena, &limits);
	if (!utf8_is_valid(value))
		value = repaired(work->scratch, value);
	switch (try_steps(key, value, work, spans, &count)) {
	case REGEX_NO_MATCH:
		return false;
	case REGEX_MATCH:
		break;
	case REGEX_OVER_STEPS:
	case REGEX_OVER_LIMIT:
		work->failure = "the regular expression takes too long for "
				"this value: make it simpler, such as a* for "
				"(a*)*";
		return false;
	}
	for (i = 0; i < count; i++)
		match_add_capture(work, spans[i].from, spans[i].to);
	return true;
}

const struct match_type match_regex = {
	.needs_substring = true,
	.needs_octets = true,
	.keeps_key = true,
	.prepare = prepare_regex,
	.match = matches_regex,
};
const struct tag_ops tag_regex = {.match_type = &match_regex};

const struct tag_ops tag_quoteregex = {.modify = ere_quote};
