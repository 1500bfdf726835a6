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
	struct err *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
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
match_context(const struct regex_limits *limits)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);

	if (context == NULL)
		memory_exhausted();
	pcre2_set_match_limit(context, limits->match_steps);
	pcre2_set_depth_limit(context, limits->match_depth);
	pcre2_set_heap_limit(context, limits->heap_kib);
	return context;
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
	if (pattern.len > limits->pattern_bytes)
		return err_set(err, ERR_REFUSED, "5.6.0",
			"regular expression: longer than %zu bytes",
			limits->pattern_bytes);
	code = compile(pattern, options, limits, err);
	if (code == NULL)
		return -1;
	regex = memory_get(sizeof(*regex));
	regex->code = code;
	regex->limits = match_context(limits);
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
