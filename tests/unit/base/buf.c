/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(an_empty_buf_is_an_empty_text)
{
	struct buf buf;

	buf_init(&buf, 10);
	CHECK_STR(buf_text(&buf), "");
	CHECK_STR_IS(buf_view(&buf), "");
	buf_clear(&buf);
}

TEST(exactly_the_maximum_fits)
{
	struct buf buf;

	buf_init(&buf, 5);
	buf_add_text(&buf, "abc");
	buf_add_char(&buf, 'd');
	buf_add_format(&buf, "%d", 5);
	CHECK_STR(buf_text(&buf), "abcd5");
	CHECK(!buf.overflowed);
	buf_clear(&buf);
}

TEST(what_does_not_fit_is_not_added_at_all)
{
	struct buf buf;

	buf_init(&buf, 5);
	buf_add_text(&buf, "abc");
	buf_add_text(&buf, "def");
	CHECK_STR(buf_text(&buf), "abc");
	CHECK(buf.overflowed);
	buf_add_format(&buf, "%s", "ghi");
	CHECK_STR(buf_text(&buf), "abc");
	/* The mark stays when something fits again. */
	buf_add_char(&buf, 'z');
	CHECK_STR(buf_text(&buf), "abcz");
	CHECK(buf.overflowed);
	buf_clear(&buf);
}

TEST(a_huge_count_cannot_wrap_around)
{
	struct buf buf;

	buf_init(&buf, 100);
	buf_add_text(&buf, "abc");
	CHECK(buf_reserve(&buf, SIZE_MAX) == NULL);
	CHECK(buf_reserve(&buf, SIZE_MAX - 2) == NULL);
	CHECK(buf.overflowed);
	buf_clear(&buf);
}

TEST(a_reset_forgets_the_overflow)
{
	struct buf buf;

	buf_init(&buf, 3);
	buf_add_text(&buf, "abcd");
	CHECK(buf.overflowed);
	buf_reset(&buf);
	CHECK(!buf.overflowed);
	buf_add_text(&buf, "xyz");
	buf_reset(&buf);
	CHECK_STR(buf_text(&buf), "");
	buf_clear(&buf);
	buf_clear(&buf);
}

TEST(bytes_grow_in_place_and_keep_nul)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < 100000; i++)
		buf_add_char(&buf, (char)(i % 256));
	REQUIRE(buf.len == 100000);
	for (i = 0; i < 100000; i++)
		if (!CHECK_INT(buf.data[i], (char)(i % 256)))
			break;
	CHECK_INT(buf.data[buf.len], '\0');
	buf_clear(&buf);
}

TEST(reserved_room_is_filled_by_the_caller)
{
	struct buf buf;
	char *at;

	buf_init(&buf, 8);
	buf_add_text(&buf, "ab");
	at = buf_reserve(&buf, 6);
	REQUIRE(at == buf.data + 2);
	at[0] = 'c';
	buf.len++;
	CHECK_STR_IS(buf_view(&buf), "abc");
	buf_clear(&buf);
}
