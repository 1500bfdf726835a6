/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <string.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_fixed_clock_stands_still)
{
	struct timespec now;

	clock_fix(1000000000, 123456789, "mx.example.test", 4711);
	now = clock_now();
	CHECK_INT(now.tv_sec, 1000000000);
	CHECK_INT(now.tv_nsec, 123456789);
	CHECK_STR(clock_host(), "mx.example.test");
	CHECK_INT(clock_pid(), 4711);
}

TEST(fixed_randomness_is_a_sequence)
{
	unsigned char first[4], second[2];

	clock_fix(0, 0, "mx", 1);
	clock_random(first, sizeof(first));
	clock_random(second, sizeof(second));
	CHECK_INT(memcmp(first, "\0\1\2\3", 4), 0);
	CHECK_INT(memcmp(second, "\4\5", 2), 0);
}

TEST(real_randomness_differs_each_time)
{
	unsigned char first[32] = {0}, second[32] = {0}, zero[32] = {0};

	clock_random(first, sizeof(first));
	clock_random(second, sizeof(second));
	CHECK(memcmp(first, second, sizeof(first)) != 0);
	CHECK(memcmp(first, zero, sizeof(first)) != 0);
	/* The last bytes are filled, too. */
	clock_random(first, sizeof(first));
	CHECK(memcmp(first + 16, zero, 16) != 0);
}

TEST(the_real_clock_moves_and_belongs_to_this_process)
{
	uint64_t before = clock_monotonic_ms();
	struct timespec now = clock_now();

	usleep(20000);
	CHECK(clock_monotonic_ms() >= before + 19);
	/* 2020 or later */
	CHECK(now.tv_sec > 1577836800);
	CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
	CHECK_INT(clock_pid(), getpid());
	CHECK(clock_host()[0] != '\0');
	CHECK(strlen(clock_host()) < 256);
}

TEST(local_time_follows_the_zone)
{
	struct tm utc = clock_utc(1000000000), local;

	CHECK_INT(utc.tm_year, 101);
	CHECK_INT(utc.tm_mon, 8);
	CHECK_INT(utc.tm_mday, 9);
	CHECK_INT(utc.tm_hour, 1);
	CHECK_INT(utc.tm_min, 46);
	CHECK_INT(utc.tm_sec, 40);
	CHECK_INT(setenv("TZ", "XYZ-05:30", 1), 0);
	tzset();
	local = clock_local(1000000000);
	CHECK_INT(local.tm_hour, 7);
	CHECK_INT(local.tm_min, 16);
	CHECK_INT(local.tm_gmtoff, 5 * 3600 + 1800);
}

static void
tell_pid(void *context)
{
	_exit(clock_pid() == getpid() && clock_pid() != *(pid_t *)context ? 0
									  : 1);
}

TEST(a_child_knows_its_own_process_id)
{
	pid_t ours = clock_pid();

	CHECK_INT(ours, getpid());
	CHECK_INT(test_child(tell_pid, &ours), 0);
}
