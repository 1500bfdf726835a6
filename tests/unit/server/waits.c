/* SPDX-License-Identifier: MIT */
#include "server/waits.h"

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(half_of_the_workers_may_wait_for_mail_and_a_quarter_for_programs)
{
	struct waits waits;

	waits_init(&waits, 100, 0, 0);
	CHECK_UINT(waits.limits[WIRE_WAIT_MAIL], 50);
	CHECK_UINT(waits.limits[WIRE_WAIT_PROGRAM], 25);
	waits_init(&waits, 100, 7, 9);
	CHECK_UINT(waits.limits[WIRE_WAIT_MAIL], 7);
	CHECK_UINT(waits.limits[WIRE_WAIT_PROGRAM], 9);
}

TEST(one_may_always_wait_and_never_more_than_there_are)
{
	struct waits waits;

	waits_init(&waits, 1, 0, 0);
	CHECK_UINT(waits.limits[WIRE_WAIT_MAIL], 1);
	CHECK_UINT(waits.limits[WIRE_WAIT_PROGRAM], 1);
	waits_init(&waits, 4, 1000, 1000);
	CHECK_UINT(waits.limits[WIRE_WAIT_MAIL], 4);
}

TEST(who_waits_already_counts_once)
{
	struct waits waits;
	struct waiter one = {{false}}, two = {{false}};

	waits_init(&waits, 2, 0, 0);
	CHECK(waits_begin(&waits, &one, WIRE_WAIT_MAIL));
	CHECK(waits_begin(&waits, &one, WIRE_WAIT_MAIL));
	CHECK_UINT(waits.counts[WIRE_WAIT_MAIL], 1);
	CHECK(!waits_begin(&waits, &two, WIRE_WAIT_MAIL));
	CHECK(waits_begin(&waits, &two, WIRE_WAIT_PROGRAM));
	CHECK_UINT(waits.refused[WIRE_WAIT_MAIL], 1);
}

TEST(a_place_is_free_again_when_its_worker_has_waited_or_ended)
{
	struct waits waits;
	struct waiter one = {{false}}, two = {{false}};

	waits_init(&waits, 2, 0, 0);
	CHECK(waits_begin(&waits, &one, WIRE_WAIT_MAIL));
	waits_end(&waits, &one, WIRE_WAIT_MAIL);
	waits_end(&waits, &one, WIRE_WAIT_MAIL);
	CHECK_UINT(waits.counts[WIRE_WAIT_MAIL], 0);
	CHECK(waits_begin(&waits, &two, WIRE_WAIT_MAIL));
	CHECK(waits_begin(&waits, &two, WIRE_WAIT_PROGRAM));
	waits_end_all(&waits, &two);
	CHECK(waits_begin(&waits, &one, WIRE_WAIT_MAIL));
	CHECK(waits_begin(&waits, &one, WIRE_WAIT_PROGRAM));
}
