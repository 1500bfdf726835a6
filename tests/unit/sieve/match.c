/* SPDX-License-Identifier: MIT */
#include "sieve/match.h"

#include "base/arena.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static void
prepare(struct arena *arena, const struct match_type *type, struct str text,
	struct match_key *key)
{
	struct err err;

	REQUIRE(match_prepare(arena, type, &comparator_octet, NULL, text, key,
			&err) == 0);
}

static bool
match(struct arena *arena, struct str pattern, struct str value,
	struct match_work *work)
{
	struct match_key key;

	prepare(arena, &match_matches, pattern, &key);
	work->budget = 1000 * 1000 * 1000;
	work->is_over = false;
	work->count = 0;
	return match_matches.match(&key, value, work);
}

/* The definition, by going back: each wildcard tries to be as short as it can,
 * the leftmost first.  Fills captures from `index` on. */
static bool
by_definition(struct str pattern, struct str value, size_t at, size_t index,
	struct capture *captures, size_t *count)
{
	size_t to;

	if (pattern.len == 0) {
		*count = index;
		return at == value.len;
	}
	if (pattern.data[0] == '*') {
		for (to = at; to <= value.len; to++) {
			captures[index] = (struct capture){at, to};
			if (by_definition(str_skip(pattern, 1), value, to,
				    index + 1, captures, count))
				return true;
		}
		return false;
	}
	if (at == value.len)
		return false;
	if (pattern.data[0] == '?') {
		captures[index] = (struct capture){at, at + 1};
		return by_definition(str_skip(pattern, 1), value, at + 1,
			index + 1, captures, count);
	}
	return pattern.data[0] == value.data[at] &&
	       by_definition(str_skip(pattern, 1), value, at + 1, index,
		       captures, count);
}

static bool
agrees(struct arena *arena, struct str pattern, struct str value)
{
	struct capture expected[MOST_CAPTURES];
	struct match_work work;
	size_t count = 0, i;
	bool is_match;

	expected[0] = (struct capture){0, value.len};
	is_match = by_definition(pattern, value, 0, 1, expected, &count);
	if (match(arena, pattern, value, &work) != is_match)
		return false;
	if (!is_match)
		return work.count == 0;
	if (work.count != count)
		return false;
	for (i = 0; i < count; i++)
		if (work.captures[i].from != expected[i].from ||
			work.captures[i].to != expected[i].to)
			return false;
	return true;
}

/* The `number`-th word over `letters`, of `len` letters. */
static struct str
word(char *buffer, const char *letters, size_t len, size_t number)
{
	size_t base = strlen(letters), i;

	for (i = 0; i < len; i++) {
		buffer[i] = letters[number % base];
		number /= base;
	}
	return str_of(buffer, len);
}

static size_t
power(size_t base, size_t exponent)
{
	return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

/* RFC 5228 2.7.1, RFC 5229 3.2: all patterns of up to 6 signs against all values
 * of up to 6 letters. */
TEST(wildcards_match_as_the_definition_says)
{
	char pattern_bytes[8], value_bytes[8];
	size_t p, v, i, j, wrong = 0;
	struct arena *arena = arena_open();

	for (p = 0; p <= 6; p++)
		for (i = 0; i < power(4, p); i++) {
			struct str pattern = word(pattern_bytes, "ab*?", p, i);
			struct arena_mark mark = arena_mark(arena);

			for (v = 0; v <= 6; v++)
				for (j = 0; j < power(2, v); j++)
					if (!agrees(arena, pattern,
						    word(value_bytes, "ab", v,
							    j)))
						wrong++;
			arena_release(arena, mark);
		}
	CHECK_UINT(wrong, 0);
	arena_close(&arena);
}

static struct str
many(struct arena *arena, char c, size_t count)
{
	char *bytes = arena_alloc(arena, count);

	memset(bytes, c, count);
	return str_of(bytes, count);
}

TEST(a_megabyte_against_many_stars_costs_a_few_looks_at_each_octet)
{
	struct arena *arena = arena_open();
	struct str value = many(arena, 'a', 1000 * 1000);
	struct match_work work;

	CHECK(!match(arena, STR("*a*a*a*a*a*a*a*a*a*ab*"), value, &work));
	CHECK(!work.is_over);
	CHECK(1000 * 1000 * 1000 - work.budget < 12 * 1000 * 1000);
	arena_close(&arena);
}

/* What going on would cost is refused before it is spent. */
TEST(a_match_ends_when_its_budget_does)
{
	struct arena *arena = arena_open();
	struct str value = many(arena, 'a', 1000 * 1000);
	struct match_key key;
	struct match_work work = {.budget = 100 * 1000};

	prepare(arena, &match_matches, STR("*a?a?a?a?a?a?ab*"), &key);
	CHECK(!match_matches.match(&key, value, &work));
	CHECK(work.is_over);
	work = (struct match_work){.budget = 999 * 1000};
	prepare(arena, &match_contains, STR("b"), &key);
	CHECK(!match_contains.match(&key, value, &work));
	CHECK(work.is_over);
	arena_close(&arena);
}

TEST(what_has_no_number_still_matches)
{
	struct arena *arena = arena_open();
	struct match_work work;

	CHECK(match(arena, many(arena, '?', 50), many(arena, 'x', 50), &work));
	CHECK_UINT(work.count, MOST_CAPTURES);
	arena_close(&arena);
}
