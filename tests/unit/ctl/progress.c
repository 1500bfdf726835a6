/* SPDX-License-Identifier: MIT */
#include "ctl/progress.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static const char *
line_at(size_t done, size_t total, uint64_t elapsed_ms)
{
	static struct buf line;
	const struct progress progress = {.what = "get", .total = total};

	buf_clear(&line);
	buf_init(&line, 200);
	progress_line(&progress, done, elapsed_ms, &line);
	return buf_text(&line);
}

TEST(nothing_is_foretold_of_the_first)
{
	CHECK_STR(line_at(0, 400, 5000),
		"get [..............................] 0/400   0%");
}

TEST(the_rest_takes_as_long_for_each_as_those_before)
{
	CHECK_STR(line_at(100, 400, 20000),
		"get [#######.......................] 100/400  25%  ETA 1:00");
	CHECK_STR(line_at(1, 10001, 1500),
		"get [..............................] 1/10001   0%  ETA "
		"4:10:00");
}

TEST(at_the_end_the_bar_is_full)
{
	CHECK_STR(line_at(3, 3, 1),
		"get [##############################] 3/3 100%");
}
