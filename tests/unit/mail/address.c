/* SPDX-License-Identifier: MIT */
#include "mail/address.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* All addresses of a list as one text:
 *	text|text|...   broken ones in braces, the null address as <> */
static const char *
parsed(struct arena *arena, struct str value)
{
	const struct address *list;
	size_t count = address_parse_list(arena, value, 1000, &list), i;
	const char *text = "";

	for (i = 0; i < count; i++) {
		const char *form =
			list[i].is_broken ? "%s%s{%.*s}" : "%s%s%.*s";
		struct str one = list[i].is_null ? STR("<>") : list[i].text;

		text = arena_format(
			arena, form, text, i ? "|" : "", STR_ARG(one));
	}
	return text;
}

struct list_case {
	const char *value;
	const char *expected;
};

static void
check_lists(const struct list_case *cases, size_t count)
{
	struct arena *arena = arena_open();
	size_t i;

	for (i = 0; i < count; i++)
		CHECK_STR(parsed(arena, str_from(cases[i].value)),
			cases[i].expected);
	arena_close(&arena);
}

TEST(lists_that_follow_the_rfc_are_read)
{
	static const struct list_case cases[] = {
		{"", ""},
		{" \r\n ", ""},
		{"amy@example.org", "amy@example.org"},
		{" Amy.B@Example.ORG\r\n", "Amy.B@Example.ORG"},
		{"<amy@example.org>", "amy@example.org"},
		{"Amy Smith <amy@x>, bob@y", "amy@x|bob@y"},
		{"\"Smith, Amy\" <amy@x>,\r\n\tBob <bob@y>", "amy@x|bob@y"},
		{"\"Smith \\\"<a@b>\\\"\" <amy@x>", "amy@x"},
		{"J. R. Smith <amy@x>", "amy@x"},
		{"amy@x (Amy Smith), bob@y (Bob)", "amy@x|bob@y"},
		{"(c) amy (c) @ (c) x (c)", "amy@x"},
		{"Amy <amy@x(c(d)).(\\)e) org>", "amy@x.org"},
		{"\"a b\"@x", "\"a b\"@x"},
		{"\"ab\"@x", "ab@x"},
		{"\"a\\\"b\"@x", "\"a\\\"b\"@x"},
		{"\"\"@x", "\"\"@x"},
		{"\"a\"  .  b@x", "a.b@x"},
		{"amy@[192.0.2.1]", "amy@[192.0.2.1]"},
		{"amy@[IPv6:2001:db8::1], b@c", "amy@[IPv6:2001:db8::1]|b@c"},
		{"Friends: amy@x, Bob <bob@y>; carl@z", "amy@x|bob@y|carl@z"},
		{"undisclosed-recipients:;", ""},
		{"Amy <@a,@b:amy@x>", "amy@x"},
		{"Amy <@a.example , @[1.2.3.4] :amy@x>", "amy@x"},
		{"<>", "<>"},
		{"Amy < amy @ x . org >", "amy@x.org"},
		{",, amy@x ,, , bob@y,", "amy@x|bob@y"},
		{"j\303\266rg@b\303\274cher.example",
			"j\303\266rg@b\303\274cher.example"},
		{"=?utf-8?q?Amy?= <amy@x>", "amy@x"},
	};

	check_lists(cases, ARRAY_LENGTH(cases));
}

TEST(a_broken_address_does_not_stop_the_list)
{
	static const struct list_case cases[] = {
		{"amy@x bob@y", "amy@x|bob@y"},
		{"amy@x. bob@y", "amy@x|bob@y"},
		{"Amy <amy@x> Bob <bob@y>", "amy@x|bob@y"},
		{"amy@x <amy@y>", "amy@y"},
		{"Amy @ Work <amy@y>, bob@z", "amy@y|bob@z"},
		{"amy, bob@y", "amy|bob@y"},
		{"Amy Smith, bob@y", "{Amy Smith}|bob@y"},
		{"amy@, bob@y", "{amy@}|bob@y"},
		{"@x, bob@y", "{@x}|bob@y"},
		{"a@b@c, bob@y", "{a@b@c}|bob@y"},
		{"a@b@c <amy@x>, bob@y", "amy@x|bob@y"},
		{"<a@b@c>, bob@y", "{a@b@c}|bob@y"},
		{"<amy smith@x>, bob@y", "{amy smith@x}|bob@y"},
		{"<amy@x smith>, bob@y", "{amy@x smith}|bob@y"},
		{"<amy@x, bob@y", "amy@x|bob@y"},
		{"Amy <amy@x", "amy@x"},
		{"Amy <amy", "amy"},
		{"amy@x>, bob@y", "amy@x|bob@y"},
		{"<<amy@x>>, bob@y", "amy@x|bob@y"},
		{"Amy <mailto:amy@x>, bob@y", "{mailto:amy@x}|bob@y"},
		{"\"Amy <amy@x>, bob@y", "amy@x|bob@y"},
		{"bob@y, \"Amy", "bob@y|Amy"},
		{"amy@x (open, bob@y", "amy@x|{(open}|bob@y"},
		{"amy@x (open, bob@y (Bob), c@z", "amy@x|{(open}|bob@y|c@z"},
		{"amy@x), bob@y", "{amy@x)}|bob@y"},
		{"a\\b@x, bob@y", "{a\\b@x}|bob@y"},
		{"\"a\"b@x, bob@y", "{\"a\"b@x}|bob@y"},
		{"a..b@x, .c.@y", "\"a..b\"@x|\".c.\"@y"},
		{"amy@x., bob@y", "amy@x|bob@y"},
		{"amy@x..y, bob@y", "{amy@x..y}|bob@y"},
		{"amy@\"x\", bob@y", "{amy@\"x\"}|bob@y"},
		{"amy@[open, bob@y", "{amy@[open}|bob@y"},
		{"a\001b@x, bob@y", "{a\001b@x}|bob@y"},
		{"\"a\001b\"@x, bob@y", "{\"a\001b\"@x}|bob@y"},
		{"<@a,@b amy@x>, bob@y", "{@a,@b amy@x}|bob@y"},
		{"Group amy@x; bob@y;", "amy@x|bob@y"},
		{"Group: amy@x", "amy@x"},
		{"a b: c@d", "c@d"},
		{"\"\", bob@y", "{\"\"}|bob@y"},
		{"amy@x:y, bob@z", "{amy@x:y}|bob@z"},
	};

	check_lists(cases, ARRAY_LENGTH(cases));
}

static void
check_first(const char *value, const char *local_part, const char *domain,
	const char *display)
{
	struct arena *arena = arena_open();
	const struct address *list;

	REQUIRE(address_parse_list(arena, str_from(value), 5, &list) > 0);
	CHECK_STR_IS(list[0].local_part, local_part);
	CHECK_STR_IS(list[0].domain, domain);
	CHECK_STR_IS(list[0].display, display);
	arena_close(&arena);
}

TEST(an_address_has_its_parts)
{
	check_first("\"a \\\"b\"@x", "a \"b", "x", "");
	check_first("Amy Smith <amy@x>", "amy", "x", "Amy Smith");
	check_first("\"Amy\" =?x?= <amy@x>", "amy", "x", "\"Amy\" =?x?=");
	check_first("amy@x ( Amy )", "amy", "x", "Amy");
	check_first("a@b <amy@x>", "amy", "x", "a@b");
	check_first("Group: Amy <amy@x>;", "amy", "x", "Amy");
	check_first("(c) amy@x", "amy", "x", "");
	check_first("Amy <>", "", "", "Amy");
	check_first("amy", "amy", "", "");
	check_first("Amy <a@b@c>", "", "", "Amy");
	check_first("\"folded\r\n word\"@x", "folded word", "x", "");
}

TEST(nul_and_broken_utf8_in_a_list_are_harmless)
{
	struct arena *arena = arena_open();
	const struct address *list;

	CHECK_INT(address_parse_list(
			  arena, STR("a\0b@x, \xff@y, bob@z"), 9, &list),
		3);
	CHECK(list[0].is_broken);
	CHECK_STR_EQUAL(list[0].text, STR("a\0b@x"));
	CHECK_STR_IS(list[1].local_part, "\xff");
	CHECK_STR_IS(list[2].text, "bob@z");
	arena_close(&arena);
}

TEST(no_more_addresses_than_asked_for_are_given)
{
	struct arena *arena = arena_open();
	const struct address *list;

	CHECK_INT(address_parse_list(arena, STR("a@b,c@d,e@f"), 2, &list), 2);
	CHECK_INT(address_parse_list(arena, STR("a@b,c@d,e@f"), 0, &list), 0);
	arena_close(&arena);
}

static struct str
repeated(struct buf *buf, const char *text, size_t count)
{
	buf_init(buf, BUF_UNLIMITED);
	while (count-- > 0)
		buf_add_text(buf, text);
	return buf_view(buf);
}

TEST(hostile_lists_take_linear_time)
{
	static const char *const units[] = {"(", ")", "\"", "<", ">", "[", "@",
		":", ";", ",", "\\", "(\\", "\"\\", "<@", "<@a,", "(a ", "(a) ",
		"\"a", "a@[", "a@b@", "a.", "a ", "a@b.", "((a)", "<a@", "[a",
		"a@b (", "a@b (c) <"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(units); i++) {
		struct arena *arena = arena_open();
		clock_t started = clock();
		const struct address *list;
		struct buf buf;
		struct str value = repeated(&buf, units[i], 300000);

		address_parse_list(arena, value, 100000, &list);
		if (!CHECK((clock() - started) / (CLOCKS_PER_SEC / 1000) <
			    2000))
			CHECK_STR(units[i], "");
		buf_clear(&buf);
		arena_close(&arena);
	}
}

TEST(two_hundred_thousand_addresses_are_read)
{
	struct arena *arena = arena_open();
	const struct address *list;
	struct buf buf;
	struct str value =
		repeated(&buf, "Amy Smith <amy@example.org>,\r\n ", 200000);
	clock_t started = clock();

	CHECK_INT(address_parse_list(arena, value, SIZE_MAX, &list), 200000);
	CHECK((clock() - started) / (CLOCKS_PER_SEC / 1000) < 3000);
	CHECK_STR_IS(list[199999].text, "amy@example.org");
	buf_clear(&buf);
	arena_close(&arena);
}

struct path_case {
	const char *path;
	unsigned flags;
	const char *expected; /* the text, or NULL */
};

static void
check_paths(const struct path_case *cases, size_t count)
{
	struct arena *arena = arena_open();
	struct address address;
	struct err err;
	size_t i;

	for (i = 0; i < count; i++) {
		int result = address_parse_path(arena, str_from(cases[i].path),
			cases[i].flags, &address, &err);

		if (!CHECK_INT(result, cases[i].expected ? 0 : -1)) {
			CHECK_STR(cases[i].path, "");
			continue;
		}
		if (result == 0) {
			CHECK_STR_IS(address.text, cases[i].expected);
			CHECK(!address.is_broken);
			CHECK_INT(address.is_null, address.text.len == 0);
		} else {
			CHECK_INT(err.kind, ERR_USAGE);
			CHECK_STR(err.status, "5.1.3");
		}
	}
	arena_close(&arena);
}

TEST(paths_that_follow_the_rfc_are_read)
{
	static const struct path_case cases[] = {
		{"<amy@example.org>", 0, "amy@example.org"},
		{"<@a.example,@b.example:amy@example.org>", 0,
			"amy@example.org"},
		{"<\"a b\"@x>", 0, "\"a b\"@x"},
		{"<\"amy\"@x>", 0, "amy@x"},
		{"<\"a\\\"\\\\b\"@x>", 0, "\"a\\\"\\\\b\"@x"},
		{"<\"\"@x>", 0, "\"\"@x"},
		{"<\"a@b>\"@x>", 0, "\"a@b>\"@x"},
		{"<amy@[192.0.2.1]>", 0, "amy@[192.0.2.1]"},
		{"<amy@[IPv6:2001:db8::1]>", 0, "amy@[IPv6:2001:db8::1]"},
		{"<a.b+c=d/e@x-y.example>", 0, "a.b+c=d/e@x-y.example"},
		{"<j\303\266rg@b\303\274cher.example>", 0,
			"j\303\266rg@b\303\274cher.example"},
		{"<a..b.@x_y>", 0, "\"a..b.\"@x_y"},
		{"<>", ADDRESS_NULL_ALLOWED, ""},
		{"", ADDRESS_NULL_ALLOWED, ""},
		{"<postmaster>", ADDRESS_LOCAL_ALLOWED, "postmaster"},
		{"PostMaster",
			ADDRESS_LOCAL_ALLOWED | ADDRESS_BRACKETS_OPTIONAL,
			"PostMaster"},
		{"amy@x", ADDRESS_BRACKETS_OPTIONAL, "amy@x"},
		{"<amy@x>", ADDRESS_BRACKETS_OPTIONAL, "amy@x"},
		{"a b@x", ADDRESS_BRACKETS_OPTIONAL | ADDRESS_QUOTES_OPTIONAL,
			"\"a b\"@x"},
		{"a@b@x", ADDRESS_BRACKETS_OPTIONAL | ADDRESS_QUOTES_OPTIONAL,
			"\"a@b\"@x"},
		{"a b",
			ADDRESS_BRACKETS_OPTIONAL | ADDRESS_QUOTES_OPTIONAL |
				ADDRESS_LOCAL_ALLOWED,
			"\"a b\""},
	};

	check_paths(cases, ARRAY_LENGTH(cases));
}

TEST(other_paths_are_refused)
{
	static const struct path_case cases[] = {
		{"", 0, NULL},
		{"<>", 0, NULL},
		{"<", 15, NULL},
		{"\"\"", 15, NULL},
		{">", 0, NULL},
		{"amy@x", 0, NULL},
		{"<amy>", 0, NULL},
		{"<amy@x", 15, NULL},
		{"<amy@x> ", 7, NULL},
		{" <amy@x>", 7, NULL},
		{"<amy@>", 15, NULL},
		{"<@x>", 15, NULL},
		{"<@x:>", 15, NULL},
		{"<@x amy@y>", 7, NULL},
		{"<amy@x..y>", 15, NULL},
		{"<amy@.x>", 15, NULL},
		{"<amy@x.>", 15, NULL},
		{"<amy@x y>", 15, NULL},
		{"<amy@x,bob@y>", 7, NULL},
		{"<a b@x>", 7, NULL},
		{"<a@b@x>", 7, NULL},
		{"<\"open@x>", 7, NULL},
		{"<\"open\\\"@x>", 7, NULL},
		{"<\"a\"b@x>", 7, NULL},
		{"<amy@[]>", 15, NULL},
		{"<amy@[1.2.3.4>", 15, NULL},
		{"<amy@[1.2.3.4]x>", 15, NULL},
		{"<amy(c)@x>", 7, NULL},
		{"<amy@x(c)>", 15, NULL},
		{"<<amy@x>>", 7, NULL},
		{"<a\tb@x>", 15, NULL},
		{"<\"a\tb\"@x>", 15, NULL},
		{"<a\r\nb@x>", 15, NULL},
		{"<amy@x\n>", 15, NULL},
		{"a\177b@x", 15, NULL},
		{"<a\302\205b@x>", 15, NULL},
		{"<\377@x>", 15, NULL},
		{"<amy@\303>", 15, NULL},
		{"<amy@\355\240\200>", 15, NULL},
	};

	check_paths(cases, ARRAY_LENGTH(cases));
}

TEST(nul_never_passes_a_path)
{
	struct arena *arena = arena_open();
	struct address address;
	struct err err;

	CHECK_INT(
		address_parse_path(arena, STR("<a\0b@x>"), 15, &address, &err),
		-1);
	CHECK_STR(err.text, "Invalid address: a control character at byte 3");
	CHECK_INT(
		address_parse_path(arena, STR("<amy@x\0>"), 15, &address, &err),
		-1);
	arena_close(&arena);
}

TEST(the_error_says_what_is_wrong_and_where)
{
	struct arena *arena = arena_open();
	struct address address;
	struct err err;

	CHECK_INT(
		address_parse_path(arena, STR("<@a:a b@x>"), 0, &address, &err),
		-1);
	CHECK_STR(
		err.text, "Invalid address: an unexpected character at byte 6");
	arena_close(&arena);
}

static int
parse_of_lengths(size_t local_part, size_t domain, struct err *err)
{
	struct arena *arena = arena_open();
	struct address address;
	struct buf buf;
	int result;

	buf_init(&buf, BUF_UNLIMITED);
	while (local_part-- > 0)
		buf_add_char(&buf, 'a');
	buf_add_char(&buf, '@');
	while (domain-- > 0)
		buf_add_char(&buf, 'x');
	result = address_parse_path(arena, buf_view(&buf),
		ADDRESS_BRACKETS_OPTIONAL, &address, err);
	buf_clear(&buf);
	arena_close(&arena);
	return result;
}

TEST(parts_have_the_longest_length_and_no_more)
{
	struct err err;

	CHECK_INT(parse_of_lengths(ADDRESS_LOCAL_PART_MOST, 1, &err), 0);
	CHECK_INT(parse_of_lengths(ADDRESS_LOCAL_PART_MOST + 1, 1, &err), -1);
	CHECK_STR(err.text,
		"Invalid address: a local part that is too long at byte 1");
	CHECK_INT(parse_of_lengths(1, ADDRESS_DOMAIN_MOST, &err), 0);
	CHECK_INT(parse_of_lengths(1, ADDRESS_DOMAIN_MOST + 1, &err), -1);
	CHECK_STR(err.text,
		"Invalid address: a domain that is too long at byte 1");
}

TEST(the_local_part_is_quoted_where_it_must_be)
{
	struct arena *arena = arena_open();

	CHECK_STR_IS(address_text(arena, STR("amy"), STR("x")), "amy@x");
	CHECK_STR_IS(address_text(arena, STR("amy"), STR("")), "amy");
	CHECK_STR_IS(address_text(arena, STR(""), STR("")), "");
	CHECK_STR_IS(address_text(arena, STR(""), STR("x")), "\"\"@x");
	CHECK_STR_IS(address_text(arena, STR("a b"), STR("x")), "\"a b\"@x");
	CHECK_STR_IS(
		address_text(arena, STR("a\"\\"), STR("x")), "\"a\\\"\\\\\"@x");
	CHECK_STR_IS(address_text(arena, STR(".a"), STR("x")), "\".a\"@x");
	arena_close(&arena);
}
