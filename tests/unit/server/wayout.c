/* SPDX-License-Identifier: MIT */
#include "server/wayout.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static void
fail_times(struct wayout *wayout, unsigned times)
{
	unsigned i;

	for (i = 0; i < times; i++)
		wayout_end(wayout, wayout_begin(wayout), REQUEST_WAY_CLOSED);
}

TEST(it_is_shut_after_so_many_failures_in_a_row)
{
	struct wayout wayout = {.limit = 3};

	fail_times(&wayout, 2);
	CHECK(!wayout_is_shut(&wayout));
	wayout_end(&wayout, WAYOUT_MAIL, REQUEST_WAY_GOOD);
	fail_times(&wayout, 2);
	CHECK(!wayout_is_shut(&wayout));
	wayout_end(&wayout, wayout_begin(&wayout), REQUEST_WAY_LOST);
	CHECK(wayout_is_shut(&wayout));
}

TEST(what_says_nothing_of_the_way_out_does_not_count)
{
	struct wayout wayout = {.limit = 2};

	fail_times(&wayout, 1);
	wayout_end(&wayout, WAYOUT_MAIL, REQUEST_WAY_UNKNOWN);
	CHECK(!wayout_is_shut(&wayout));
	fail_times(&wayout, 1);
	CHECK(wayout_is_shut(&wayout));
}

TEST(without_a_limit_it_is_never_shut)
{
	struct wayout wayout = {.limit = 0};

	fail_times(&wayout, 1000);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_MAIL);
}

TEST(one_at_a_time_tries_while_it_is_shut)
{
	struct wayout wayout = {.limit = 1};

	fail_times(&wayout, 1);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_PROBE);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_NOT);
	/* One that was under way when it was shut is no probe. */
	wayout_end(&wayout, WAYOUT_MAIL, REQUEST_WAY_CLOSED);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_NOT);
	wayout_end(&wayout, WAYOUT_PROBE, REQUEST_WAY_UNKNOWN);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_PROBE);
	wayout_end(&wayout, WAYOUT_PROBE, REQUEST_WAY_CLOSED);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_PROBE);
}

TEST(any_answer_opens_it)
{
	struct wayout wayout = {.limit = 1};

	fail_times(&wayout, 5);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_PROBE);
	wayout_end(&wayout, WAYOUT_PROBE, REQUEST_WAY_GOOD);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_MAIL);
	CHECK_UINT(wayout_begin(&wayout), WAYOUT_MAIL);
}
