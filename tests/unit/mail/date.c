/* SPDX-License-Identifier: MIT */
#include "mail/date.h"

#include "base/attributes.h"
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

static void
check_read(const char *text, const char *expected, int zone)
{
	struct arena *arena = arena_open();
	struct date date;

	if (!date_find(str_from(text), &date)) {
		CHECK_STR_IS(str_from(text), "a date");
	} else {
		CHECK_STR_IS(date_std11(arena, &date), expected);
		CHECK_INT(date.zone, zone);
	}
	arena_close(&arena);
}

/* RFC 5322 3.3, A.5 */
TEST(dates_are_read)
{
	check_read("Fri, 4 Jul 2025 10:00:00 +0200",
		"Fri, 04 Jul 2025 10:00:00 +0200", 120);
	check_read("04 Jul 2025 10:00 -0330", "Fri, 04 Jul 2025 10:00:00 -0330",
		-210);
	check_read("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n"
		   "      23:32\r\n               -0330 (Newfoundland Time)",
		"Thu, 13 Feb 1969 23:32:00 -0330", -210);
	check_read("(a (b\\)) c) Fri (d), 4 (e) Jul 2025 10 : 00 : 00 +0200",
		"Fri, 04 Jul 2025 10:00:00 +0200", 120);
}

/* RFC 5322 4.3 */
TEST(obsolete_dates_are_read)
{
	check_read(
		"21 Nov 97 09:55:06 GMT", "Fri, 21 Nov 1997 09:55:06 +0000", 0);
	check_read(
		"21 Nov 49 09:55:06 UT", "Sun, 21 Nov 2049 09:55:06 +0000", 0);
	check_read("21 Nov 103 09:55:06 EST", "Fri, 21 Nov 2003 09:55:06 -0500",
		-300);
	check_read("21 Nov 1997 09:55:06 pdt",
		"Fri, 21 Nov 1997 09:55:06 -0700", -420);
	check_read(
		"21 Nov 1997 09:55:06 A", "Fri, 21 Nov 1997 09:55:06 +0000", 0);
	check_read("21 Nov 1997 09:55:06 CEST",
		"Fri, 21 Nov 1997 09:55:06 +0000", 0);
}

TEST(dates_of_broken_senders_are_read)
{
	check_read("Mon, 4 Jul 2025 10:00:00",
		"Fri, 04 Jul 2025 10:00:00 +0000", 0);
	check_read("Friday 4-Jul-25 10:00:00 GMT",
		"Fri, 04 Jul 2025 10:00:00 +0000", 0);
	check_read("Fri. 4 July 2025 10:00:00.123456 +02:00",
		"Fri, 04 Jul 2025 10:00:00 +0200", 120);
	check_read("Fri Jul  4 10:00:00 2025",
		"Fri, 04 Jul 2025 10:00:00 +0000", 0);
	check_read("Fri Jul 4 10:00:00 EDT 2025",
		"Fri, 04 Jul 2025 10:00:00 -0400", -240);
	check_read("Jul 4 10:00:00 2025 +0100",
		"Fri, 04 Jul 2025 10:00:00 +0100", 60);
	check_read("July 4, 2025 1:00 GMT-0100",
		"Fri, 04 Jul 2025 01:00:00 -0100", -60);
	check_read("4 Jul 2025, 10:00:00 +0200 CEST",
		"Fri, 04 Jul 2025 10:00:00 +0200", 120);
	check_read(
		"2025-07-04T10:00:00Z", "Fri, 04 Jul 2025 10:00:00 +0000", 0);
	check_read("2025-07-04 10:00:00.5+02",
		"Fri, 04 Jul 2025 10:00:00 +0200", 120);
}

TEST(the_date_behind_the_last_semicolon_counts)
{
	check_read("from a; Mon, 1 Jan 2001 00:00:00 +0000; 4 Jul 2025 10:00 Z",
		"Fri, 04 Jul 2025 10:00:00 +0000", 0);
	check_read("4 Jul 2025 10:00:00 +0000 (a; b)",
		"Fri, 04 Jul 2025 10:00:00 +0000", 0);
}

TEST(what_is_no_date_is_refused)
{
	static const char *const wrong[] = {"", " ", ";", "(", "x", "Fri",
		"Fri,", "4", "4 Jul", "4 Jul 2025", "4 Jul 2025 10",
		"4 Jul 2025 10:", "4 Jul 2025 10:0 +0000", "4 Jul 2025 100:00",
		"0 Jul 2025 10:00", "32 Jul 2025 10:00", "31 Jun 2025 10:00",
		"29 Feb 2100 10:00", "4 Jux 2025 10:00", "4 Ju 2025 10:00",
		"4 Jul 2 10:00", "4 Jul 20250 10:00", "4 Jul 2025 24:00",
		"4 Jul 2025 10:60", "4 Jul 2025 10:00:61",
		"4 Jul 2025 10:00 +0060", "4 Jul 2025 10:00 +1",
		"4 Jul 2025 10:00 +100", "4 Jul 2025 10:00 +0100 CET x",
		"4 Jul 2025 10:00 \"GMT\"", "2025-13-04 10:00",
		"-4 Jul 2025 10:00", "4 Jul 2025 10:00 +", "Jul 2025 10:00"};
	struct date date;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (date_find(str_from(wrong[i]), &date))
			CHECK_STR_IS(str_from(wrong[i]), "no date");
	CHECK(!date_find(str_of("4 Jul 2025 10:00\0", 17), &date));
}

/* Every day that has four digits, there and back. */
TEST(days_count_up)
{
	struct date date, next;
	int64_t day;

	for (day = -719528; day < 2932896; day++) {
		if (!date_at(day * 86400 + 86399, 0, &date) ||
			!date_at((day + 1) * 86400, 0, &next)) {
			CHECK(day == 2932896 - 1);
			break;
		}
		if (date_seconds(&date) != day * 86400 + 86399 ||
			date_modified_julian(&date) != day + 40587 ||
			(date_weekday(&date) + 1) % 7 != date_weekday(&next) ||
			(next.day != date.day + 1 && next.day != 1))
			CHECK_INT(day, 0);
	}
	CHECK(!date_at(-719528 * INT64_C(86400) - 1, 0, &date));
	CHECK(!date_at(INT64_MAX, 0, &date));
	CHECK(!date_at(INT64_MIN, 0, &date));
}

TEST(a_zone_has_a_sign_and_four_digits)
{
	int zone;

	CHECK(date_parse_zone(STR("+0530"), &zone));
	CHECK_INT(zone, 330);
	CHECK(date_parse_zone(STR("-0030"), &zone));
	CHECK_INT(zone, -30);
	CHECK(!date_parse_zone(STR("0530"), &zone));
	CHECK(!date_parse_zone(STR("+530"), &zone));
	CHECK(!date_parse_zone(STR("+05:30"), &zone));
	CHECK(!date_parse_zone(STR("+0060"), &zone));
	CHECK(!date_parse_zone(STR("+ 530"), &zone));
	CHECK(!date_parse_zone(STR(""), &zone));
}
