/* SPDX-License-Identifier: MIT */
#include "server/restart.h"

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_child_that_was_ready_and_steady_is_started_at_once)
{
	unsigned failures = 5;

	CHECK_UINT(restart_pause_ms(&failures, true, RESTART_STEADY_MS), 0);
	CHECK_UINT(failures, 0);
}

TEST(however_often_a_steady_child_dies_it_is_started_at_once)
{
	unsigned failures = 0, i;

	for (i = 0; i < 100; i++)
		CHECK_UINT(restart_pause_ms(
				   &failures, true, RESTART_STEADY_MS + 300),
			0);
}

TEST(a_child_that_dies_at_its_start_waits_longer_each_time_up_to_a_second)
{
	unsigned failures = 0, i;
	uint64_t before = 0;

	for (i = 0; i < 100; i++) {
		uint64_t ms = restart_pause_ms(
			&failures, true, RESTART_STEADY_MS - 1);

		CHECK(ms >= RESTART_PAUSE_FIRST_MS);
		CHECK(ms <= RESTART_PAUSE_MOST_MS);
		CHECK(ms > before || ms == RESTART_PAUSE_MOST_MS);
		CHECK(i > 2 || ms <= 100);
		before = ms;
	}
	CHECK_UINT(before, RESTART_PAUSE_MOST_MS);
}

TEST(a_child_that_never_got_ready_has_failed_however_long_it_lived)
{
	unsigned failures = 0;

	CHECK_UINT(restart_pause_ms(&failures, false, 60 * 1000),
		RESTART_PAUSE_FIRST_MS);
}
