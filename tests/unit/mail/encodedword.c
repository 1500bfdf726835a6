/* SPDX-License-Identifier: MIT */
#include "mail/encodedword.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static void
check_decoded(const char *value, const char *expected)
{
	struct arena *arena = arena_open();

	CHECK_STR_IS(encodedword_decode(arena, str_from(value)), expected);
	arena_close(&arena);
}

TEST(plain_values_are_only_trimmed_and_unfolded)
{
	check_decoded("", "");
	check_decoded(" \r\n\t ", "");
	check_decoded(" hello ", "hello");
	check_decoded(" one\r\n two\n\tthree\r\n", "one two\tthree");
	check_decoded("a\r\n \r\n b", "a  b");
	check_decoded("8 bit \303\266 \377", "8 bit \303\266 \377");
	check_decoded("lone\rcr and\nlf", "lone\rcr and\nlf");
	check_decoded("a =?b c", "a =?b c");
}

TEST(nothing_is_copied_when_nothing_changes)
{
	struct arena *arena = arena_open();
	struct str value = STR(" hello ");

	CHECK(encodedword_decode(arena, value).data == value.data + 1);
	CHECK(encodedword_unfold(arena, value).data == value.data + 1);
	CHECK_STR_EQUAL(encodedword_decode(arena, STR("a\0b")), STR("a\0b"));
	arena_close(&arena);
}

/* RFC 2047 4 and 8 */
TEST(words_are_decoded)
{
	check_decoded("=?utf-8?q?J=C3=B6rg_M=2E?=", "Jörg M.");
	check_decoded("=?UTF-8?Q?J=c3=b6rg?=", "Jörg");
	check_decoded("=?ISO-8859-1?B?SvZyZw==?=", "Jörg");
	check_decoded("=?iso-8859-1?b?SvZyZw?=", "Jörg");
	check_decoded("=?US-ASCII?Q?Keith_Moore?= <moore@x>",
		"Keith Moore <moore@x>");
	check_decoded("=?utf-8*en?q?hi?=", "hi");
	check_decoded("=?utf-8?q?\?=", "");
	check_decoded("\"=?utf-8?q?Amy?=\"", "\"Amy\"");
	check_decoded("(=?utf-8?q?a?=)", "(a)");
	check_decoded("=?utf-8?q?with blank?=", "with blank");
	check_decoded("=?ks_c_5601-1987?b?x9E=?=", "한");
	check_decoded("=?utf-8?b?YWI=Y2Q=?=", "abcd");
}

/* RFC 2047 6.2 and 8 */
TEST(blanks_vanish_only_between_two_words)
{
	check_decoded("=?utf-8?q?a?= =?utf-8?q?b?=", "ab");
	check_decoded("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab");
	check_decoded("=?utf-8?q?a?= \t =?iso-8859-1?q?=F6?=", "aö");
	check_decoded("=?utf-8?q?a_?= =?utf-8?q?b?=", "a b");
	check_decoded("x =?utf-8?q?a?= y =?utf-8?q?b?= z", "x a y b z");
	check_decoded("=?utf-8?q?a?=  x", "a  x");
	check_decoded("x  =?utf-8?q?a?=", "x  a");
	check_decoded("=?utf-8?q?a?==?utf-8?q?b?=", "ab");
}

TEST(a_character_cut_in_two_words_is_joined)
{
	check_decoded("=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?=", "Jörg");
	check_decoded("=?utf-8?b?SsM=?=\r\n =?UTF-8?q?=B6rg?=", "Jörg");
}

TEST(broken_words_stay_as_they_are)
{
	static const char *const values[] = {"=?utf-8?q?a=?=", "=?utf-8?q?=4?=",
		"=?utf-8?q?=XY?=", "=?utf-8?b?a*b?=", "=?utf-8?x?a?=",
		"=?\?q?a?=", "=?*en?q?a?=", "=?utf-8?q?open", "=?utf-8?q?open?",
		"=?utf-8?q", "=?utf-8?", "=?",
		"=?no-such?q?a?=", "=?utf 8?q?a?=",
		"=?no-such?q?a?= =?no-such?q?b?=", "=?utf-8?q?a?b?="};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(values); i++)
		check_decoded(values[i], values[i]);
}

TEST(a_broken_word_does_not_stop_the_others)
{
	check_decoded("=?utf-8?q?a?= =?utf-8?q?=?= =?utf-8?q?b?=",
		"a =?utf-8?q?=?= b");
	check_decoded("=?no-such?q?a?= =?utf-8?q?b?=", "=?no-such?q?a?= b");
	check_decoded("=?utf-8?q?a?=  =?no-such?q?b?=\r\n =?koi8-r?q?c?=",
		"a  =?no-such?q?b?= c");
	check_decoded("=?no-such?q?a?=  =?other-such?q?b?= =?koi8-r?q?c?= "
		      "=?utf-8?q?d?=",
		"=?no-such?q?a?=  =?other-such?q?b?= cd");
	check_decoded("=?utf-8?=?utf-8?q?b?=", "=?utf-8?b");
}

TEST(encoded_line_ends_make_no_new_line)
{
	check_decoded("=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x");
	check_decoded("=?utf-8?b?YQpi?=", "a b");
}

TEST(wrong_bytes_are_replaced)
{
	check_decoded("=?utf-8?q?a=FFb?=", "a\357\277\275b");
}

static struct str
repeated(struct buf *buf, const char *text, size_t count)
{
	buf_init(buf, BUF_UNLIMITED);
	while (count-- > 0)
		buf_add_text(buf, text);
	return buf_view(buf);
}

TEST(no_more_conversions_than_the_limit_are_made)
{
	struct arena *arena = arena_open();
	struct buf buf;
	struct str value = repeated(&buf, "=?koi8-r?q?a?= =?koi8-u?q?b?= ",
		ENCODEDWORD_CONVERSIONS_MOST / 2 + 1);
	struct str text = encodedword_decode(arena, value);

	CHECK_INT(str_find(text, STR(" =?")), ENCODEDWORD_CONVERSIONS_MOST);
	CHECK(str_ends(text, STR("=?koi8-r?q?a?= =?koi8-u?q?b?=")));
	buf_clear(&buf);
	arena_close(&arena);
}

TEST(hostile_values_take_linear_time)
{
	static const char *const units[] = {"=?", "=?a?", "=?a?q?",
		"=?a?q?=", "=?utf-8?q?a?=", "=?utf-8?q?a?= ", "=", "?",
		"=?koi8-r?q?=E1?=", "=?x?q?a?=", "=?x?q?a?= =?y?q?a?=", "\r\n ",
		"\r\n", " ", "=?utf-8?b?YQ==?=\r\n\t", "=?utf-8?q?=?= ",
		"=?koi8-r?q?=E1?= =?koi8-u?q?=E1?=", "=?utf-8?q?a?= x"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(units); i++) {
		struct arena *arena = arena_open();
		clock_t started = clock();
		struct buf buf;
		struct str value = repeated(&buf, units[i], 300000);

		encodedword_decode(arena, value);
		if (!CHECK((clock() - started) / (CLOCKS_PER_SEC / 1000) <
			    3000))
			CHECK_STR(units[i], "");
		buf_clear(&buf);
		arena_close(&arena);
	}
}
