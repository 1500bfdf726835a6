/* SPDX-License-Identifier: MIT */
#include "quota/maildirsize.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct maildirsize
good(const char *text)
{
	struct maildirsize file;

	CHECK(maildirsize_parse(str_from(text), &file));
	return file;
}

static bool
is_good(struct str text)
{
	struct maildirsize file;

	return maildirsize_parse(text, &file);
}

TEST(the_first_line_has_the_limits)
{
	CHECK_UINT(good("1000S,20C\n0 0\n").limits.bytes, 1000);
	CHECK_UINT(good("1000S,20C\n0 0\n").limits.messages, 20);
	CHECK_UINT(good("20C\n").limits.bytes, 0);
	CHECK_UINT(good("20C,1000S\n").limits.bytes, 1000);
	CHECK_UINT(good("0S\n").limits.bytes, 0);
	CHECK_UINT(good("\n5 1\n").use.bytes, 5);
	CHECK_UINT(good("1000S,7X\n").limits.bytes, 1000);
}

TEST(the_use_is_the_sum_of_all_lines)
{
	struct maildirsize file =
		good("1000S\n500 5\n100 1\n-200 -2\n    7   1\n");

	CHECK_UINT(file.use.bytes, 407);
	CHECK_UINT(file.use.messages, 5);
	CHECK_UINT(file.lines, 4);
}

TEST(a_line_that_is_just_being_written_is_passed_over)
{
	CHECK_UINT(good("1000S\n500 5\n10").use.bytes, 500);
	CHECK_UINT(good("1000S\n500 5\n100 1").use.bytes, 500);
	CHECK_UINT(good("1000S\n500 5\nx").use.bytes, 500);
}

TEST(a_file_that_makes_no_sense_is_not_used)
{
	CHECK(!is_good(STR("")));
	CHECK(!is_good(STR("1000S")));
	CHECK(!is_good(STR("1000\n5 1\n")));
	CHECK(!is_good(STR("xS\n5 1\n")));
	CHECK(!is_good(STR("1000S\n5\n")));
	CHECK(!is_good(STR("1000S\n5 1 1\n")));
	CHECK(!is_good(STR("1000S\n5 x\n")));
	CHECK(!is_good(STR("1000S\n\n5 1\n")));
	CHECK(!is_good(STR("1000S\n5 1\0\n")));
	CHECK(!is_good(STR("1000S\n99999999999999999999 1\n")));
	CHECK(!is_good(STR("1000S\n9223372036854775807 1\n1 1\n")));
}

TEST(a_negative_sum_is_not_used)
{
	CHECK(!is_good(STR("1000S\n5 1\n-6 0\n")));
	CHECK(!is_good(STR("1000S\n5 1\n0 -2\n")));
	CHECK(is_good(STR("1000S\n5 1\n-5 -1\n")));
}

static const char *
first_line(uint64_t bytes, uint64_t messages)
{
	const struct quota_limits limits = {
		.bytes = bytes, .messages = messages};
	static struct buf line;

	buf_clear(&line);
	buf_init(&line, 100);
	maildirsize_limits(&line, &limits);
	return buf_text(&line);
}

TEST(limits_are_written_as_they_are_read)
{
	CHECK_STR(first_line(1000, 20), "1000S,20C");
	CHECK_STR(first_line(1000, 0), "1000S");
	CHECK_STR(first_line(0, 20), "20C");
	CHECK_STR(first_line(0, 0), "0S");
}
