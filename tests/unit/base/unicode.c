/* SPDX-License-Identifier: MIT */
#include "base/unicode.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "tests/lib/test.h"

#include "base/banned.h"

#define CHECK_CASES(text, lower, upper)                                        \
	do {                                                                   \
		struct arena *arena = arena_open();                            \
                                                                               \
		CHECK_STR_IS(unicode_lower(arena, STR(text)), lower);          \
		CHECK_STR_IS(unicode_upper(arena, STR(text)), upper);          \
		arena_close(&arena);                                           \
	} while (0)

TEST(letters_of_every_script_change_case)
{
	CHECK_CASES("", "", "");
	CHECK_CASES("Amy.Reed+1@Example", "amy.reed+1@example",
		"AMY.REED+1@EXAMPLE");
	CHECK_CASES("JÖRG Müller", "jörg müller", "JÖRG MÜLLER");
	CHECK_CASES("Иван", "иван", "ИВАН");
	CHECK_CASES("Ωμέγα", "ωμέγα", "ΩΜΈΓΑ");
	CHECK_CASES("日本", "日本", "日本");
	CHECK_CASES("\U00010400x", "\U00010428x", "\U00010400X");
}

TEST(one_code_point_stays_one)
{
	CHECK_CASES("Straße", "straße", "STRAẞE");
}

TEST(bytes_that_are_not_utf8_stay)
{
	CHECK_CASES("A\xffÖ\xc3", "a\xffö\xc3", "A\xffÖ\xc3");
	CHECK_CASES("\xed\xa0\x80", "\xed\xa0\x80", "\xed\xa0\x80");
}

TEST(a_nul_is_a_byte_like_others)
{
	struct arena *arena = arena_open();

	CHECK_STR_EQUAL(
		unicode_lower(arena, str_of("A\0Ö", 4)), str_of("a\0ö", 4));
	arena_close(&arena);
}

TEST(the_casemap_form_has_places_in_the_original)
{
	struct arena *arena = arena_open();
	struct str s = STR("a\u00e9\xff\ufdfaz");
	struct str form = unicode_casemap(arena, s);
	const size_t *places = unicode_casemap_places(arena, s);
	size_t i;

	CHECK_STR_EQUAL(str_slice(form, 0, 5), STR("AE\u0301\xff"));
	CHECK_UINT(places[0], 0);
	for (i = 1; i < 4; i++)
		CHECK_UINT(places[i], 1); /* E and its accent */
	CHECK_UINT(places[4], 3);
	for (i = 5; i < form.len - 1; i++)
		CHECK_UINT(places[i], 4);
	CHECK_UINT(places[form.len - 1], 7);
	CHECK_UINT(places[form.len], s.len);
	CHECK(form.len <= s.len * UNICODE_CASEMAP_GROWTH);
	arena_close(&arena);
}

TEST(no_code_point_grows_beyond_the_limit)
{
	struct arena *arena = arena_open();
	uint32_t code;

	for (code = 0x80; code < 0x30000; code++) {
		struct arena_mark mark = arena_mark(arena);
		struct buf buf;
		struct str form;

		buf_init(&buf, BUF_UNLIMITED);
		if (utf8_add(&buf, code)) {
			form = unicode_casemap(arena, buf_view(&buf));
			CHECK(form.len <= buf.len * UNICODE_CASEMAP_GROWTH);
		}
		buf_clear(&buf);
		arena_release(arena, mark);
	}
	arena_close(&arena);
}
