/* SPDX-License-Identifier: MIT */
#include "mail/date.h"

#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static void
check_date(time_t seconds, long offset, const char *expected)
{
	struct arena *arena = arena_open();
	struct tm time = clock_utc(seconds + offset);

	time.tm_gmtoff = offset;
	CHECK_STR_IS(date_text(arena, time), expected);
	arena_close(&arena);
}

/* RFC 5322 3.3 */
TEST(a_date_names_day_time_and_zone)
{
	check_date(0, 0, "Thu, 01 Jan 1970 00:00:00 +0000");
	check_date(1751616000, 7200, "Fri, 04 Jul 2025 10:00:00 +0200");
	check_date(1751616000, -12600, "Fri, 04 Jul 2025 04:30:00 -0330");
	check_date(1709164799, 0, "Wed, 28 Feb 2024 23:59:59 +0000");
	check_date(1709164800, 0, "Thu, 29 Feb 2024 00:00:00 +0000");
}
