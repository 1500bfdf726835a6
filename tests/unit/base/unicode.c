/* SPDX-License-Identifier: MIT */
#include "base/unicode.h"

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
