/* SPDX-License-Identifier: MIT */
#include "base/regex.h"

#include <string.h>

#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;

static enum lookup
match(const char *pattern, unsigned options, struct str subject,
	struct str *groups, size_t max)
{
	struct regex *regex = NULL;
	enum lookup found;

	REQUIRE(regex_open(str_from(pattern), options, NULL, &regex, &err) ==
		0);
	found = regex_match(regex, subject, groups, max, &err);
	regex_close(&regex);
	CHECK(regex == NULL);
	regex_close(&regex);
	return found;
}

TEST(a_match_gives_its_groups)
{
	struct str groups[4];

	CHECK_INT(match("^(a+)(x)?(b*)", 0, STR("aabb!"), groups, 4),
		LOOKUP_FOUND);
	CHECK_STR_IS(groups[0], "aabb");
	CHECK_STR_IS(groups[1], "aa");
	CHECK(groups[2].data == NULL);
	CHECK_STR_IS(groups[3], "bb");
	CHECK_INT(match("a", 0, STR("b"), NULL, 0), LOOKUP_NONE);
	CHECK_INT(match("a", 0, STR("ba"), NULL, 0), LOOKUP_FOUND);
}

TEST(more_groups_than_the_pattern_has_are_empty)
{
	struct str groups[3];

	CHECK_INT(match("a", 0, STR("a"), groups, 3), LOOKUP_FOUND);
	CHECK_STR_IS(groups[0], "a");
	CHECK(groups[1].data == NULL && groups[1].len == 0);
	CHECK(groups[2].data == NULL && groups[2].len == 0);
}

TEST(an_empty_subject_may_have_no_bytes)
{
	CHECK_INT(match("^$", 0, str_of(NULL, 0), NULL, 0), LOOKUP_FOUND);
	CHECK_INT(match(".", 0, str_of(NULL, 0), NULL, 0), LOOKUP_NONE);
}

TEST(case_and_utf8_are_options)
{
	CHECK_INT(match("amy", 0, STR("AMY"), NULL, 0), LOOKUP_NONE);
	CHECK_INT(
		match("amy", REGEX_NOCASE, STR("AMY"), NULL, 0), LOOKUP_FOUND);
	CHECK_INT(match("^.$", 0, STR("ö"), NULL, 0), LOOKUP_NONE);
	CHECK_INT(match("^.$", REGEX_UTF8, STR("ö"), NULL, 0), LOOKUP_FOUND);
	CHECK_INT(match("Ö", REGEX_UTF8 | REGEX_NOCASE, STR("ö"), NULL, 0),
		LOOKUP_FOUND);
}

TEST(a_broken_subject_does_not_stop_the_match_of_the_rest)
{
	CHECK_INT(match("b", REGEX_UTF8,
			  STR("\xff"
			      "b"),
			  NULL, 0),
		LOOKUP_FOUND);
	CHECK_INT(match("b", REGEX_UTF8, str_of("a\0b", 3), NULL, 0),
		LOOKUP_FOUND);
}

TEST(a_wrong_pattern_is_refused_with_its_place)
{
	struct regex *regex = NULL;

	CHECK_INT(regex_open(STR("a(b"), 0, NULL, &regex, &err), -1);
	CHECK_INT(err.kind, ERR_REFUSED);
	CHECK_STR(err.text, "regular expression: missing closing parenthesis "
			    "at position 4");
	CHECK_INT(regex_open(STR("\\C"), 0, NULL, &regex, &err), -1);
	CHECK_INT(regex_open(STR("\xff"), REGEX_UTF8, NULL, &regex, &err), -1);
	CHECK(regex == NULL);
}

TEST(a_pattern_that_is_too_long_or_deep_is_refused)
{
	struct regex *regex = NULL;
	char pattern[1001];
	size_t i;

	memset(pattern, 'a', sizeof(pattern));
	CHECK_INT(regex_open(str_of(pattern, 1000), 0, NULL, &regex, &err), 0);
	regex_close(&regex);
	CHECK_INT(regex_open(str_of(pattern, 1001), 0, NULL, &regex, &err), -1);
	CHECK_STR(err.text, "regular expression: longer than 1000 bytes");
	for (i = 0; i < 51; i++) {
		pattern[i] = '(';
		pattern[51 + i] = ')';
	}
	CHECK_INT(regex_open(str_of(pattern, 102), 0, NULL, &regex, &err), -1);
	CHECK_INT(
		regex_open(str_of(pattern + 1, 100), 0, NULL, &regex, &err), 0);
	regex_close(&regex);
}

/* Without limits the first takes seconds and the second 680 MB. */
TEST(a_match_that_costs_too_much_is_stopped)
{
	static char subject[1000 * 1000];
	uint64_t start = clock_monotonic_ms();

	CHECK_INT(match("(a+)+$", 0,
			  STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
			  NULL, 0),
		LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "limit") != NULL);
	memset(subject, 'a', sizeof(subject));
	CHECK_INT(match("^(?:(a)|(b)|(?:aa))*c$", 0,
			  str_of(subject, sizeof(subject)), NULL, 0),
		LOOKUP_ERROR);
	CHECK(clock_monotonic_ms() - start < 2000);
}

TEST(limits_are_the_callers)
{
	struct regex_limits limits = regex_default_limits;
	struct regex *regex = NULL;

	limits.match_steps = 3;
	CHECK_INT(regex_open(STR("(a+)+$"), 0, &limits, &regex, &err), 0);
	CHECK_INT(
		regex_match(regex, STR("aaaaa!"), NULL, 0, &err), LOOKUP_ERROR);
	regex_close(&regex);
}

/* Each by itself, the others far away. */
TEST(heap_and_depth_have_limits_of_their_own)
{
	static char subject[100 * 1000];
	struct regex_limits limits = regex_default_limits;
	struct regex *regex = NULL;

	memset(subject, 'a', sizeof(subject));
	limits.match_steps = 100 * 1000 * 1000;
	limits.match_depth = 100 * 1000 * 1000;
	CHECK_INT(regex_open(STR("^(?:(a)|(b)|(?:aa))*c$"), 0, &limits, &regex,
			  &err),
		0);
	CHECK_INT(regex_match(regex, str_of(subject, sizeof(subject)), NULL, 0,
			  &err),
		LOOKUP_ERROR);
	CHECK_STR(err.detail, "regular expression: heap limit exceeded");
	regex_close(&regex);
	limits.heap_kib = 1000 * 1000;
	limits.match_depth = 100;
	CHECK_INT(regex_open(STR("^(?:(a)|(b)|(?:aa))*c$"), 0, &limits, &regex,
			  &err),
		0);
	CHECK_INT(regex_match(regex, str_of(subject, sizeof(subject)), NULL, 0,
			  &err),
		LOOKUP_ERROR);
	CHECK(strstr(err.detail, "depth") != NULL);
	regex_close(&regex);
}
