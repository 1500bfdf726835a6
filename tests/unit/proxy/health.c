/* SPDX-License-Identifier: MIT */
#include "proxy/health.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static const struct health_settings settings = {
	.interval_ms = 10000, .falls = 3, .rises = 2};
static struct health health;

static void
begin(unsigned failures)
{
	health_init(&health, 0);
	while (failures-- > 0)
		(void)health_failure(&health, &settings, 0);
}

static void
probe(bool is_good, uint64_t now_ms)
{
	health_probe_begin(&health, now_ms);
	if (is_good)
		(void)health_success(&health, &settings, now_ms);
	else
		(void)health_failure(&health, &settings, now_ms);
}

TEST(a_new_backend_is_up)
{
	begin(0);
	CHECK_INT(health.state, HEALTH_UP);
	CHECK(health_is_usable(&health));
}

TEST(failures_in_a_row_bring_it_down)
{
	begin(0);
	CHECK(health_failure(&health, &settings, 1));
	CHECK_INT(health.state, HEALTH_FAILING);
	CHECK(health_is_usable(&health));
	CHECK(!health_failure(&health, &settings, 2));
	CHECK_INT(health.state, HEALTH_FAILING);
	CHECK(health_failure(&health, &settings, 3));
	CHECK_INT(health.state, HEALTH_DOWN);
	CHECK(!health_is_usable(&health));
	CHECK_UINT(health.since_ms, 3);
	CHECK_UINT(health.downs, 1);
	CHECK(!health_failure(&health, &settings, 4));
	CHECK_UINT(health.since_ms, 3);
}

TEST(one_success_between_failures_begins_the_count_anew)
{
	begin(2);
	CHECK(health_success(&health, &settings, 1));
	CHECK_INT(health.state, HEALTH_UP);
	CHECK(health_failure(&health, &settings, 2));
	CHECK(!health_failure(&health, &settings, 3));
	CHECK_INT(health.state, HEALTH_FAILING);
}

TEST(good_probes_in_a_row_bring_it_up)
{
	begin(3);
	probe(true, 1000);
	CHECK_INT(health.state, HEALTH_DOWN);
	probe(false, 2000);
	probe(true, 3000);
	CHECK_INT(health.state, HEALTH_DOWN);
	probe(true, 4000);
	CHECK_INT(health.state, HEALTH_UP);
	CHECK_UINT(health.since_ms, 4000);
	CHECK_UINT(health.failures, 0);
}

/* It was asked before it went down. */
TEST(a_late_success_does_not_bring_it_up)
{
	begin(3);
	CHECK(!health_success(&health, &settings, 1));
	CHECK(!health_success(&health, &settings, 2));
	CHECK(!health_success(&health, &settings, 3));
	CHECK_INT(health.state, HEALTH_DOWN);
}

TEST(a_backend_in_use_is_not_probed)
{
	begin(0);
	CHECK_UINT(health_probe_at(&health, &settings), 10000);
	(void)health_success(&health, &settings, 5000);
	CHECK_UINT(health_probe_at(&health, &settings), 15000);
}

TEST(one_probe_is_under_way_at_a_time)
{
	begin(0);
	health_probe_begin(&health, 10000);
	CHECK_UINT(health_probe_at(&health, &settings), UINT64_MAX);
	(void)health_success(&health, &settings, 10001);
	CHECK_UINT(health_probe_at(&health, &settings), 20001);
}

TEST(a_backend_that_fails_is_probed_soon_and_then_less_often)
{
	begin(3);
	CHECK_UINT(health_probe_at(&health, &settings), HEALTH_SOON_MS);
	probe(false, 500);
	CHECK_UINT(health_probe_at(&health, &settings), 500 + 1000);
	probe(false, 1500);
	CHECK_UINT(health_probe_at(&health, &settings), 1500 + 2000);
	probe(false, 3500);
	probe(false, 7500);
	probe(false, 15500);
	CHECK_UINT(health_probe_at(&health, &settings), 15500 + 10000);
	probe(true, 25500);
	CHECK_UINT(health_probe_at(&health, &settings), 25500 + HEALTH_SOON_MS);
}

TEST(a_short_interval_is_kept)
{
	const struct health_settings fast = {
		.interval_ms = 100, .falls = 1, .rises = 1};

	begin(1);
	CHECK_UINT(health_probe_at(&health, &fast), 100);
}

/* Nobody would find out that it is up again. */
TEST(without_probes_nothing_is_down)
{
	const struct health_settings never = {.falls = 1, .rises = 1};

	begin(0);
	CHECK(health_failure(&health, &never, 0));
	CHECK_INT(health.state, HEALTH_FAILING);
	CHECK_UINT(health_probe_at(&health, &never), UINT64_MAX);
}

TEST(states_have_words)
{
	CHECK_STR(health_word(HEALTH_UP), "up");
	CHECK_STR(health_word(HEALTH_FAILING), "failing");
	CHECK_STR(health_word(HEALTH_DOWN), "down");
}
