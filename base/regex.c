/* SPDX-License-Identifier: MIT */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/memory.h"

#include "base/banned.h"

/* A million steps take 12 ms, a match without a heap limit took 680 MB. */
const struct regex_limits regex_default_limits = {
	.pattern_bytes = 1000,
	.paren_depth = 50,
	.match_steps = 100 * 1000,
	.match_depth = 5000,
	.heap_kib = 1024,
};

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *match;
};

static uint32_t
compile_options(unsigned options)
{
	/* \C could split a code point; nobody needs it. */
	uint32_t flags = PCRE2_NEVER_BACKSLASH_C;

	if (options & REGEX_NOCASE)
		flags |= PCRE2_CASELESS;
	if (options & REGEX_UTF8)
		flags |= PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF;
	if (options & REGEX_CODE_POINTS)
		flags |= PCRE2_UTF | PCRE2_DOTALL;
	return flags;
}

static int
explain(int code, size_t offset, struct err *err)
{
	PCRE2_UCHAR text[128];

	pcre2_get_error_message(code, text, sizeof(text));
	return err_set(err, ERR_REFUSED, "5.6.0",
		"regular expression: %s at position %zu", (const char *)text,
		offset + 1);
}

static pcre2_code *
compile(struct str pattern, unsigned options, const struct regex_limits *limits,
	pcre2_general_context *memory, struct err *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	pcre2_code *code;
	PCRE2_SIZE offset = 0;
	int error = 0;

	if (context == NULL)
		memory_exhausted();
	pcre2_set_parens_nest_limit(context, limits->paren_depth);
	code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.len,
		compile_options(options), &error, &offset, context);
	pcre2_compile_context_free(context);
	if (code == NULL)
		explain(error, offset, err);
	return code;
}

static pcre2_match_context *
match_context(const struct regex_limits *limits, pcre2_general_context *memory)
{
	pcre2_match_context *context = pcre2_match_context_create(memory);

	if (context == NULL)
		memory_exhausted();
	pcre2_set_match_limit(context, limits->match_steps);
	pcre2_set_depth_limit(context, limits->match_depth);
	pcre2_set_heap_limit(context, limits->heap_kib);
	return context;
}

static int
check_length(
	struct str pattern, const struct regex_limits *limits, struct err *err)
{
	if (pattern.len <= limits->pattern_bytes)
		return 0;
	return err_set(err, ERR_REFUSED, "5.6.0",
		"regular expression: longer than %zu bytes",
		limits->pattern_bytes);
}

int
regex_open(struct str pattern, unsigned options,
	const struct regex_limits *limits, struct regex **regex_out,
	struct err *err)
{
	struct regex *regex;
	pcre2_code *code;

	if (limits == NULL)
		limits = &regex_default_limits;
	if (check_length(pattern, limits, err) < 0)
		return -1;
	code = compile(pattern, options, limits, NULL, err);
	if (code == NULL)
		return -1;
	regex = memory_get(sizeof(*regex));
	regex->code = code;
	regex->limits = match_context(limits, NULL);
	regex->match = pcre2_match_data_create_from_pattern(code, NULL);
	if (regex->match == NULL)
		memory_exhausted();
	*regex_out = regex;
	return 0;
}

void
regex_close(struct regex **regex)
{
	if (*regex == NULL)
		return;
	pcre2_match_data_free((*regex)->match);
	pcre2_match_context_free((*regex)->limits);
	pcre2_code_free((*regex)->code);
	memory_free(*regex);
	*regex = NULL;
}

static void
give_groups(const struct regex *regex, struct str subject, struct str *groups,
	size_t max)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);
	size_t count = pcre2_get_ovector_count(regex->match);
	size_t i;

	for (i = 0; i < max; i++) {
		groups[i] = str_of(NULL, 0);
		/* Before 10.38 \K in a lookahead can put the start behind
		 * the end. */
		if (i < count && ends[2 * i] != PCRE2_UNSET &&
			ends[2 * i] <= ends[2 * i + 1])
			groups[i] = str_of(subject.data + ends[2 * i],
				ends[2 * i + 1] - ends[2 * i]);
	}
}

enum lookup
regex_match(const struct regex *regex, struct str subject, struct str *groups,
	size_t max, struct err *err)
{
	PCRE2_UCHAR text[128];
	int result;

	if (subject.data == NULL)
		subject = STR_EMPTY;
	result = pcre2_match(regex->code, (PCRE2_SPTR)subject.data, subject.len,
		0, 0, regex->match, regex->limits);
	if (result == PCRE2_ERROR_NOMATCH)
		return LOOKUP_NONE;
	if (result < 0) {
		pcre2_get_error_message(result, text, sizeof(text));
		err_temp(err, "4.3.0", "regular expression: %s",
			(const char *)text);
		return LOOKUP_ERROR;
	}
	give_groups(regex, subject, groups, max);
	return LOOKUP_FOUND;
}

/* ---- in an arena ---- */

/* Groups beyond those are not given out. */
enum { SPANS_MOST = 33 };

struct regex_pattern {
	pcre2_code *code;
};

struct regex_matcher {
	pcre2_match_context *limits;
	pcre2_match_data *match;
};

static void *
take_from_arena(PCRE2_SIZE size, void *arena)
{
	return arena_alloc(arena, size);
}

/* The arena gives everything back at once. */
static void
leave_in_arena(void *memory UNUSED, void *arena UNUSED)
{
}

static pcre2_general_context *
arena_context(struct arena *arena)
{
	pcre2_general_context *context = pcre2_general_context_create(
		take_from_arena, leave_in_arena, arena);

	if (context == NULL)
		memory_exhausted();
	return context;
}

int
regex_pattern_in(struct arena *arena, struct str pattern, unsigned options,
	const struct regex_limits *limits, struct regex_pattern **pattern_out,
	struct err *err)
{
	pcre2_code *code;

	if (limits == NULL)
		limits = &regex_default_limits;
	if (check_length(pattern, limits, err) < 0)
		return -1;
	code = compile(pattern, options, limits, arena_context(arena), err);
	if (code == NULL)
		return -1;
	*pattern_out = ARENA_NEW(arena, struct regex_pattern);
	(*pattern_out)->code = code;
	return 0;
}

struct regex_matcher *
regex_matcher_in(struct arena *arena, const struct regex_limits *limits)
{
	struct regex_matcher *matcher = ARENA_NEW(arena, struct regex_matcher);
	pcre2_general_context *memory = arena_context(arena);

	if (limits == NULL)
		limits = &regex_default_limits;
	matcher->limits = match_context(limits, memory);
	matcher->match = pcre2_match_data_create(SPANS_MOST, memory);
	if (matcher->match == NULL)
		memory_exhausted();
	return matcher;
}

static void
give_spans(const struct regex_matcher *matcher, size_t count,
	struct regex_span *spans)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(matcher->match);
	size_t i;

	for (i = 0; i < count; i++) {
		spans[i] = (struct regex_span){0, 0};
		if (ends[2 * i] != PCRE2_UNSET &&
			ends[2 * i] <= ends[2 * i + 1])
			spans[i] = (struct regex_span){
				ends[2 * i], ends[2 * i + 1]};
	}
}

enum regex_result
regex_pattern_match(const struct regex_pattern *pattern,
	struct regex_matcher *matcher, uint32_t steps, struct str subject,
	struct regex_span *spans, size_t max, size_t *count_out)
{
	int result;

	if (subject.data == NULL)
		subject = STR_EMPTY;
	pcre2_set_match_limit(matcher->limits, steps);
	result = pcre2_match(pattern->code, (PCRE2_SPTR)subject.data,
		subject.len, 0, PCRE2_NO_UTF_CHECK, matcher->match,
		matcher->limits);
	if (result == PCRE2_ERROR_NOMATCH)
		return REGEX_NO_MATCH;
	if (result == PCRE2_ERROR_MATCHLIMIT)
		return REGEX_OVER_STEPS;
	if (result < 0)
		return REGEX_OVER_LIMIT;
	/* 0: the pattern has more groups than there is room for. */
	*count_out = result == 0 ? SPANS_MOST : (size_t)result;
	if (*count_out > max)
		*count_out = max;
	give_spans(matcher, *count_out, spans);
	return REGEX_MATCH;
}
