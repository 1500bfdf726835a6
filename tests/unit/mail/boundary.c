/* SPDX-License-Identifier: MIT */
#include "mail/boundary.h"

#include "base/arena.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* -1 when there is none. */
static long
find(struct boundary_set *set, const char *line)
{
	size_t owner, length;

	return boundary_find(set, str_from(line), &owner, &length) ? (long)owner
	                                                           : -1;
}

TEST(an_empty_set_finds_nothing)
{
	struct boundary_set set = {.items = NULL};

	CHECK_INT(find(&set, ""), -1);
	CHECK_INT(find(&set, "a"), -1);
	boundary_remove(&set, STR("a"));
	boundary_set_clear(&set);
}

/* RFC 2046 5.1.2: the line's beginning counts. */
TEST(a_line_belongs_to_the_longest_boundary_it_begins_with)
{
	struct boundary_set set = {.items = NULL};
	size_t owner, length;

	boundary_add(&set, STR("ab"), 0);
	boundary_add(&set, STR("abcd"), 1);
	boundary_add(&set, STR("a"), 2);
	boundary_add(&set, STR("b"), 3);
	CHECK_INT(find(&set, "a"), 2);
	CHECK_INT(find(&set, "ax"), 2);
	CHECK_INT(find(&set, "ab"), 0);
	CHECK_INT(find(&set, "abc"), 0);
	CHECK_INT(find(&set, "abcd"), 1);
	CHECK_INT(find(&set, "abcde"), 1);
	CHECK_INT(find(&set, "bz"), 3);
	CHECK_INT(find(&set, ""), -1);
	CHECK_INT(find(&set, "c"), -1);
	CHECK_INT(find(&set, "A"), -1);
	REQUIRE(boundary_find(&set, STR("abcx"), &owner, &length));
	CHECK_UINT(length, 2);
	boundary_remove(&set, STR("abcd"));
	CHECK_INT(find(&set, "abcd"), 0);
	boundary_set_clear(&set);
}

TEST(of_equal_boundaries_the_innermost_counts)
{
	struct boundary_set set = {.items = NULL};

	boundary_add(&set, STR("x"), 0);
	boundary_add(&set, STR("xy"), 1);
	boundary_add(&set, STR("x"), 2);
	CHECK_INT(find(&set, "x"), 2);
	boundary_remove(&set, STR("x"));
	CHECK_INT(find(&set, "x"), 0);
	boundary_remove(&set, STR("x"));
	CHECK_INT(find(&set, "x"), -1);
	CHECK_INT(find(&set, "xy"), 1);
	boundary_set_clear(&set);
}

/* The same answers as asking one after the other, in every set of short ones. */
TEST(the_search_finds_what_a_look_at_each_finds)
{
	static const char *const texts[] = {
		"", "a", "b", "aa", "ab", "ba", "aab", "aba", "\377", "a\377"};
	enum { COUNT = ARRAY_LENGTH(texts) };
	unsigned chosen, i;

	for (chosen = 0; chosen < 1U << COUNT; chosen++) {
		struct boundary_set set = {.items = NULL};
		unsigned line;

		for (i = 1; i < COUNT; i++)
			if (chosen >> i & 1)
				boundary_add(&set, str_from(texts[i]), i);
		for (line = 0; line < COUNT; line++) {
			long best = -1;

			for (i = 1; i < COUNT; i++)
				if ((chosen >> i & 1) &&
					str_starts(str_from(texts[line]),
						str_from(texts[i])) &&
					(best < 0 ||
						strlen(texts[i]) >
							strlen(texts[best])))
					best = (long)i;
			CHECK_INT(find(&set, texts[line]), best);
		}
		boundary_set_clear(&set);
	}
}

/* Steps for each byte do not grow with how many boundaries there are, but for
 * the binary search. */
TEST(ten_thousand_boundaries_cost_a_binary_search_for_each_byte)
{
	struct arena *arena = arena_open();
	struct boundary_set set = {.items = NULL};
	char line[BOUNDARY_MOST];
	size_t i, owner, length;

	memset(line, 'a', sizeof(line));
	for (i = 0; i < 10000; i++)
		boundary_add(&set,
			str_from(arena_format(
				arena, "%.*s%zu", (int)(i % 400), line, i)),
			i);
	for (i = 0; i < 1000; i++)
		(void)boundary_find(
			&set, str_of(line, sizeof(line)), &owner, &length);
	CHECK(set.steps <= 1000 * (uint64_t)sizeof(line) * 3 * 14);
	boundary_set_clear(&set);
	arena_close(&arena);
}
