/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "tests/lib/test.h"

#include "base/banned.h"

/* RFC 3629 4: what is not in its grammar. */
TEST(what_is_not_utf8_is_refused)
{
	static const char *const wrong[] = {
		"\x80",             /* continuation alone */
		"\xbf",             /* the last of them */
		"\xc0\x80",         /* overlong NUL */
		"\xc1\xbf",         /* overlong DEL */
		"\xe0\x80\xaf",     /* overlong slash */
		"\xe0\x9f\xbf",     /* the last overlong of three */
		"\xf0\x8f\xbf\xbf", /* the last overlong of four */
		"\xed\xa0\x80",     /* first surrogate */
		"\xed\xbf\xbf",     /* last surrogate */
		"\xf4\x90\x80\x80", /* U+110000 */
		"\xf5\x80\x80\x80", "\xfe", "\xff", "\xc3", /* cut off */
		"\xe2\x82",                                 /* cut off */
		"\xf0\x9f\x98",                             /* cut off */
		"\xc3(",     /* no continuation */
		"\xe2\x82(", /* no continuation */
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++) {
		uint32_t code = 7;
		size_t at = 0;

		CHECK(!utf8_is_valid(str_from(wrong[i])));
		CHECK(!utf8_next(str_from(wrong[i]), &at, &code));
		CHECK_UINT(at, 0);
		CHECK_UINT(code, 7);
	}
}

TEST(bytes_behind_the_end_are_not_read)
{
	CHECK(!utf8_is_valid(str_of("\xc3\xa9", 1)));
	CHECK(!utf8_is_valid(str_of("\xf0\x9f\x98\x80", 3)));
}

TEST(every_code_point_survives_the_way_there_and_back)
{
	struct buf buf;
	uint32_t code;

	buf_init(&buf, 4);
	for (code = 0; code <= 0x110000; code++) {
		bool is_one =
			code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
		uint32_t found;
		size_t at = 0;

		buf_reset(&buf);
		if (utf8_add(&buf, code) != is_one) {
			CHECK_UINT(code, 0);
			break;
		}
		if (!is_one)
			continue;
		if (!utf8_next(buf_view(&buf), &at, &found) || at != buf.len ||
			found != code) {
			CHECK_UINT(found, code);
			break;
		}
	}
	CHECK_UINT(code, 0x110001);
	buf_clear(&buf);
}

TEST(the_end_is_no_code_point)
{
	uint32_t code;
	size_t at = 1;

	CHECK(!utf8_next(STR("a"), &at, &code));
	at = 0;
	CHECK(!utf8_next(STR_EMPTY, &at, &code));
	CHECK(utf8_is_valid(STR_EMPTY));
	CHECK(utf8_is_valid(str_of("a\0b", 3)));
	CHECK(utf8_is_ascii(STR("a~\x7f")));
	CHECK(!utf8_is_ascii(STR("a\x80")));
}

TEST(each_wrong_byte_is_replaced_by_one_sign)
{
	struct buf buf;

	buf_init(&buf, 100);
	utf8_add_repaired(&buf, STR("a\xff\xe2\x82(b\xc3\xa9\xc3"));
	CHECK_STR(buf_text(&buf), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd(b\xc3"
				  "\xa9\xef\xbf\xbd");
	buf_reset(&buf);
	utf8_add_repaired(&buf, STR_EMPTY);
	CHECK_STR(buf_text(&buf), "");
	buf_clear(&buf);
}

TEST(counting_counts_code_points_and_wrong_bytes)
{
	CHECK_UINT(utf8_count(STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
	CHECK_UINT(utf8_count(STR("\xff\xe2\x82")), 3);
	CHECK_UINT(utf8_count(STR_EMPTY), 0);
}

TEST(a_cut_never_leaves_half_a_code_point)
{
	struct str s = STR("a\xc3\xa9\xe2\x82\xac");

	CHECK_STR_IS(utf8_cut(s, 100), "a\xc3\xa9\xe2\x82\xac");
	CHECK_STR_IS(utf8_cut(s, 6), "a\xc3\xa9\xe2\x82\xac");
	CHECK_STR_IS(utf8_cut(s, 5), "a\xc3\xa9");
	CHECK_STR_IS(utf8_cut(s, 4), "a\xc3\xa9");
	CHECK_STR_IS(utf8_cut(s, 3), "a\xc3\xa9");
	CHECK_STR_IS(utf8_cut(s, 2), "a");
	CHECK_STR_IS(utf8_cut(s, 0), "");
	CHECK_STR_IS(utf8_first(s, 4), "a\xc3\xa9\xe2\x82\xac");
	CHECK_STR_IS(utf8_first(s, 3), "a\xc3\xa9\xe2\x82\xac");
	CHECK_STR_IS(utf8_first(s, 2), "a\xc3\xa9");
	CHECK_STR_IS(utf8_first(s, 0), "");
	CHECK_STR_IS(utf8_first(STR("\xff\xe2\x82z"), 2), "\xff\xe2");
}

/* ASCII is passed over eight bytes at a time. */
TEST(a_wrong_byte_is_found_in_every_place)
{
	char text[40];
	size_t len, at;

	for (len = 1; len <= sizeof(text); len++)
		for (at = 0; at < len; at++) {
			memset(text, 'x', sizeof(text));
			CHECK(utf8_is_valid(str_of(text, len)));
			CHECK(utf8_is_ascii(str_of(text, len)));
			text[at] = (char)0xff;
			CHECK(!utf8_is_valid(str_of(text, len)));
			CHECK(!utf8_is_ascii(str_of(text, len)));
		}
}
