/* SPDX-License-Identifier: MIT */
#include "proxy/ring.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { USERS = 100000, BACKENDS = 20 };

static struct ring_member members[BACKENDS];

static void
set_members(size_t count, uint32_t weight)
{
	char name[32];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "b%zu.example:24", i);
		members[i] = (struct ring_member){
			.hash = ring_hash(str_from(name)), .weight = weight};
	}
}

static uint64_t
user_hash(size_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "user%zu@example.org", number);
	return ring_hash(str_from(name));
}

/* Where each user lives. */
static size_t *
choose_all(size_t count)
{
	size_t *homes = memory_get(USERS * sizeof(*homes)), i;

	for (i = 0; i < USERS; i++)
		homes[i] = ring_choose(members, count, user_hash(i));
	return homes;
}

static size_t
count_of(const size_t *homes, size_t backend)
{
	size_t count = 0, i;

	for (i = 0; i < USERS; i++)
		count += homes[i] == backend;
	return count;
}

/* Within five standard deviations of a fair draw. */
static bool
is_near(size_t found, double share)
{
	double expected = USERS * share;
	double distance = (double)found - expected;

	return distance * distance <= 25 * expected * (1 - share);
}

/* SHA-256 and the logarithm, worked out elsewhere with 60 digits. */
TEST(every_host_comes_to_the_same_result)
{
	static const char *const names[] = {
		"a.example:24", "b.example:24", "192.0.2.7:24"};
	static const struct {
		const char *user;
		size_t home;
	} rows[] = {{"amy@example.org", 0}, {"bob@example.org", 2},
		{"joerg@example.org", 0}, {"ada@example.org", 1},
		{"eve@example.org", 0}, {"ann@example.org", 1},
		{"tom@example.org", 1}, {"zoe@example.org", 1}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		members[i] = (struct ring_member){
			.hash = ring_hash(str_from(names[i])),
			.weight = i == 1 ? 200 : 100};
	for (i = 0; i < ARRAY_LENGTH(rows); i++)
		CHECK_UINT(ring_choose(members, ARRAY_LENGTH(names),
				   ring_hash(str_from(rows[i].user))),
			rows[i].home);
	CHECK_UINT(ring_hash(STR("amy@example.org")),
		UINT64_C(0x8586293cc3d2128a));
}

TEST(the_logarithm_is_that_of_mathematics)
{
	static const struct {
		uint64_t x, log;
	} rows[] = {{0, UINT64_C(70368744177664)},
		{1, UINT64_C(69269232549888)}, {2, UINT64_C(68626059478533)},
		{12345, UINT64_C(55424450330182)},
		{UINT64_C(0xdeadbeefcafebabe), UINT64_C(221200055606)},
		{UINT64_C(0x7fffffffffffffff), UINT64_C(1099511627776)},
		{UINT64_MAX - 1, 1}, {UINT64_MAX, 1}};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rows); i++)
		CHECK_UINT(ring_log(rows[i].x), rows[i].log);
}

TEST(the_order_of_the_list_does_not_count)
{
	struct ring_member swapped[5];
	size_t i, n;

	set_members(5, 100);
	for (i = 0; i < 5; i++)
		swapped[i] = members[4 - i];
	for (n = 0; n < 1000; n++)
		CHECK_UINT(4 - ring_choose(swapped, 5, user_hash(n)),
			ring_choose(members, 5, user_hash(n)));
}

TEST(equal_weights_have_equal_shares)
{
	size_t *homes, i;

	set_members(10, 100);
	homes = choose_all(10);
	for (i = 0; i < 10; i++)
		CHECK(is_near(count_of(homes, i), 0.1));
	memory_free(homes);
}

TEST(shares_are_as_weights)
{
	size_t *homes, i;

	set_members(4, 100);
	for (i = 0; i < 4; i++)
		members[i].weight = (uint32_t)(100 * (i + 1));
	homes = choose_all(4);
	for (i = 0; i < 4; i++)
		CHECK(is_near(count_of(homes, i), 0.1 * (double)(i + 1)));
	memory_free(homes);
}

TEST(weights_far_apart_hold_too)
{
	size_t *homes;

	set_members(2, 1);
	members[1].weight = RING_WEIGHT_MAX;
	homes = choose_all(2);
	CHECK(count_of(homes, 0) <= 3);
	members[1].weight = 99;
	memory_free(homes);
	homes = choose_all(2);
	CHECK(is_near(count_of(homes, 0), 0.01));
	memory_free(homes);
}

TEST(a_new_backend_takes_its_share_and_nobody_else_moves)
{
	size_t *before, *after, i, moved = 0, strayed = 0;

	set_members(11, 100);
	before = choose_all(10);
	after = choose_all(11);
	for (i = 0; i < USERS; i++) {
		moved += after[i] != before[i];
		strayed += after[i] != before[i] && after[i] != 10;
	}
	CHECK_UINT(strayed, 0);
	CHECK_UINT(moved, count_of(after, 10));
	CHECK(is_near(moved, 1.0 / 11));
	memory_free(before);
	memory_free(after);
}

TEST(only_the_users_of_a_backend_that_is_out_go_elsewhere)
{
	size_t *before, *after, i, strayed = 0;

	set_members(5, 100);
	before = choose_all(5);
	members[2].is_out = true;
	after = choose_all(5);
	for (i = 0; i < USERS; i++)
		strayed += before[i] != 2 && after[i] != before[i];
	CHECK_UINT(strayed, 0);
	CHECK_UINT(count_of(after, 2), 0);
	/* And to all others alike. */
	for (i = 0; i < 5; i++)
		if (i != 2)
			CHECK(is_near(count_of(after, i), 0.25));
	memory_free(before);
	memory_free(after);
}

TEST(a_greater_weight_takes_users_and_gives_none_away)
{
	size_t *before, *after, i, strayed = 0;

	set_members(4, 100);
	before = choose_all(4);
	members[3].weight = 200;
	after = choose_all(4);
	for (i = 0; i < USERS; i++)
		strayed += after[i] != before[i] && after[i] != 3;
	CHECK_UINT(strayed, 0);
	CHECK(is_near(count_of(after, 3), 0.4));
	memory_free(before);
	memory_free(after);
}

TEST(without_a_weight_there_is_no_winner)
{
	set_members(2, 0);
	CHECK_UINT(ring_choose(members, 2, 1), 2);
	CHECK_UINT(ring_choose(members, 0, 1), 0);
	members[1].weight = 1;
	CHECK_UINT(ring_choose(members, 2, 1), 1);
}
