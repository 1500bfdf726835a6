/* SPDX-License-Identifier: MIT */
#include "base/charset.h"

#include <string.h>

#include "base/utf8.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static void
check_text(const char *charset, struct str bytes, const char *expected)
{
	struct arena *arena = arena_open();
	struct str text;

	if (!CHECK_INT(charset_to_utf8(arena, str_from(charset), bytes, &text),
		    expected != NULL))
		CHECK_STR(charset, "");
	else if (expected != NULL)
		CHECK_STR_IS(text, expected);
	arena_close(&arena);
}

TEST(common_charsets_become_utf8)
{
	check_text("utf-8", STR("j\303\266rg"), "jörg");
	check_text("UTF8", STR("j\303\266rg"), "jörg");
	check_text("us-ascii", STR("amy"), "amy");
	check_text("ISO-8859-1", STR("j\366rg\200"), "jörg\302\200");
	check_text("windows-1252", STR("\200 \223x\224 \366"), "€ “x” ö");
	check_text("iso-8859-15", STR("\244"), "€");
	check_text("koi8-r", STR("\355\311\322"), "Мир");
	check_text("utf-16", STR("\376\377\000a\000b"), "ab");
	check_text("iso-2022-jp", STR("\033$B$\"\033(B"), "あ");
}

TEST(names_that_libc_does_not_know_are_known)
{
	check_text("ks_c_5601-1987", STR("\307\321"), "한");
	check_text("x-sjis", STR("\202\240"), "あ");
	check_text("ISO-8859-8-I", STR("\340"), "א");
	check_text("gb2312", STR("\326\320"), "中");
	check_text("x-mac-roman", STR("\212"), "ä");
	check_text("cp-850", STR("\204"), "ä");
}

TEST(what_the_charset_does_not_have_is_replaced)
{
	check_text("utf-8", STR("a\377b"), "a\357\277\275b");
	check_text("us-ascii", STR("a\377"), "a\357\277\275");
	check_text("windows-1252", STR("\201"), "\357\277\275");
	check_text("euc-jp", STR("a\377b"), "a\357\277\275b");
	/* Cut off in the middle of a character. */
	check_text("x-sjis", STR("\202\240\202"), "あ\357\277\275");
}

TEST(a_wrong_byte_does_not_end_the_shift_it_stands_in)
{
	check_text("iso-2022-jp", STR("\033$B$\"\377$\"\033(Bx"),
		"あ\357\277\275あx");
}

/* A letter waits for the points that may follow it. */
TEST(the_last_character_comes_out_of_a_converter_that_waits)
{
	check_text("windows-1255", STR("\340"), "א");
}

TEST(nul_is_a_character)
{
	struct arena *arena = arena_open();
	struct str text;

	CHECK(charset_to_utf8(arena, STR("utf-8"), STR("a\0b"), &text));
	CHECK_STR_EQUAL(text, STR("a\0b"));
	CHECK(charset_to_utf8(
		arena, STR("windows-1252"), STR("a\0\366"), &text));
	CHECK_STR_EQUAL(text, STR("a\0\303\266"));
	CHECK(charset_to_utf8(arena, STR("koi8-r"), STR("a\0b"), &text));
	CHECK_STR_EQUAL(text, STR("a\0b"));
	arena_close(&arena);
}

TEST(unknown_and_strange_names_are_refused)
{
	char name[4000];

	check_text("", STR("a"), NULL);
	check_text("no-such-charset", STR("a"), NULL);
	check_text("koi8-r//IGNORE", STR("a"), NULL);
	check_text("//", STR("a"), NULL);
	check_text("../koi8-r", STR("a"), NULL);
	check_text("koi8-r,utf-8", STR("a"), NULL);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	check_text(name, STR("a"), NULL);
	name[CHARSET_NAME_MOST + 1] = '\0';
	check_text(name, STR("a"), NULL);
	{
		struct arena *arena = arena_open();
		struct str text;

		CHECK(!charset_to_utf8(
			arena, STR("koi8-r\0x"), STR("a"), &text));
		CHECK(!charset_to_utf8(
			arena, str_of(NULL, 0), STR("a"), &text));
		arena_close(&arena);
	}
}

TEST(long_text_is_converted_whole)
{
	struct arena *arena = arena_open();
	char *bytes = arena_alloc(arena, 100001);
	struct str text;

	memset(bytes, 0xed, 100000);
	CHECK(charset_to_utf8(
		arena, STR("koi8-r"), str_of(bytes, 100000), &text));
	CHECK_INT(text.len, 200000);
	CHECK(utf8_is_valid(text));
	memset(bytes, 0xff, 100000);
	CHECK(charset_to_utf8(
		arena, STR("euc-jp"), str_of(bytes, 100000), &text));
	CHECK_INT(text.len, 300000);
	arena_close(&arena);
}
