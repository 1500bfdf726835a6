/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include "tests/lib/test.h"

#include "base/banned.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

TEST(only_digits_are_a_number)
{
	static const char *const wrong[] = {"", " ", "-1", "+1", " 1", "1 ",
		"0x10", "1a", "1.0", "18446744073709551616",
		"99999999999999999999999", "\xd9\xa1"};
	uint64_t value = 42;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (!CHECK_INT(number_parse(str_from(wrong[i]), &value), -1))
			CHECK_STR(wrong[i], "refused");
	CHECK_UINT(value, 42);
	CHECK_INT(number_parse(str_of("1\0", 2), &value), -1);
	CHECK_INT(number_parse(STR("18446744073709551615"), &value), 0);
	CHECK_UINT(value, UINT64_MAX);
	CHECK_INT(number_parse(STR("007"), &value), 0);
	CHECK_UINT(value, 7);
}

TEST(octal_has_no_eight)
{
	uint64_t value;

	CHECK_INT(number_parse_octal(STR("0640"), &value), 0);
	CHECK_UINT(value, 0640);
	CHECK_INT(number_parse_octal(STR("0680"), &value), -1);
	CHECK_INT(number_parse_octal(STR(""), &value), -1);
}

TEST(sizes_have_units_of_1024)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"0", 0}, {"12", 12}, {"12B", 12}, {"1k", KIB},
		{"1K", KIB}, {"1kB", KIB}, {"1KiB", KIB}, {"50M", 50 * MIB},
		{"1 G", GIB}, {"2TB", 2 * TIB}, {" 3 mib ", 3 * MIB},
		{"16777215T", 16777215 * TIB}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint64_t bytes = UINT64_MAX;

		CHECK_INT(number_parse_size(str_from(cases[i].text), 1, &bytes),
			0);
		if (!CHECK_UINT(bytes, cases[i].bytes))
			CHECK_STR(cases[i].text, "understood");
	}
}

TEST(a_bare_size_has_the_unit_of_its_setting)
{
	uint64_t bytes;

	CHECK_INT(number_parse_size(STR("10"), 1024, &bytes), 0);
	CHECK_UINT(bytes, 10 * KIB);
	CHECK_INT(number_parse_size(STR("10B"), 1024, &bytes), 0);
	CHECK_UINT(bytes, 10);
	CHECK_INT(
		number_parse_size(STR("18014398509481984"), 1024, &bytes), -1);
}

TEST(a_wrong_size_is_refused)
{
	static const char *const wrong[] = {"", "G", "-1M", "1X", "1MM", "1Mx",
		"1Bi", "1BB", "1%", "1.5G", "16777216T", "1M 1"};
	uint64_t bytes;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (!CHECK_INT(number_parse_size(str_from(wrong[i]), 1, &bytes),
			    -1))
			CHECK_STR(wrong[i], "refused");
}

TEST(durations_take_any_clear_beginning_of_a_unit)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {{"5", 5000}, {"5 msecs", 5}, {"5ms", 5},
		{"5 milliseconds", 5}, {"5s", 5000}, {"5 sec", 5000},
		{"5 seconds", 5000}, {"1m", 60000}, {"1 min", 60000},
		{"1 mins", 60000}, {"2 minutes", 120000}, {"1h", 3600000},
		{"1 hour", 3600000}, {"30 days", 2592000000u},
		{"1 DAY", 86400000}, {"1w", 604800000}, {"1 week", 604800000}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		uint64_t ms = UINT64_MAX;

		CHECK_INT(number_parse_duration(
				  str_from(cases[i].text), 1000, &ms),
			0);
		if (!CHECK_UINT(ms, cases[i].ms))
			CHECK_STR(cases[i].text, "understood");
	}
}

TEST(a_wrong_duration_is_refused)
{
	static const char *const wrong[] = {"", "days", "1 year", "1 dayss",
		"-1s", "1x", "999999999999999999 weeks"};
	uint64_t ms;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (!CHECK_INT(number_parse_duration(
				       str_from(wrong[i]), 1000, &ms),
			    -1))
			CHECK_STR(wrong[i], "refused");
}

TEST(sums_and_products_tell_when_they_do_not_fit)
{
	uint64_t result;

	CHECK(number_add(UINT64_MAX - 1, 1, &result));
	CHECK_UINT(result, UINT64_MAX);
	CHECK(!number_add(UINT64_MAX, 1, &result));
	CHECK(number_multiply(UINT64_MAX / 2, 2, &result));
	CHECK(!number_multiply(UINT64_MAX / 2, 3, &result));
	CHECK(number_multiply(0, UINT64_MAX, &result));
	CHECK_UINT(result, 0);
}
