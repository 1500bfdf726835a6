/* SPDX-License-Identifier: MIT */
#include "server/concurrency.h"

#include <stdio.h>

#include "base/memory.h"
#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_user_has_as_many_deliveries_as_the_limit_says)
{
	struct concurrency_user *first, *second;
	struct concurrency all;
	struct err err;

	concurrency_init(&all);
	first = concurrency_enter(&all, "amy", 2, &err);
	second = concurrency_enter(&all, "amy", 2, &err);
	CHECK(first != NULL && second == first);
	CHECK(concurrency_enter(&all, "amy", 2, &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK_STR(err.text, "Too many concurrent deliveries for user");
	concurrency_leave(&all, first);
	CHECK(concurrency_enter(&all, "amy", 2, &err) != NULL);
	concurrency_leave(&all, first);
	concurrency_leave(&all, first);
	CHECK_UINT(all.count, 0);
	concurrency_clear(&all);
}

TEST(without_a_limit_there_may_be_any_number)
{
	struct concurrency_user *user = NULL;
	struct concurrency all;
	struct err err;
	int i;

	concurrency_init(&all);
	for (i = 0; i < 1000; i++)
		user = concurrency_enter(&all, "amy", 0, &err);
	for (i = 0; i < 1000; i++)
		concurrency_leave(&all, user);
	CHECK_UINT(all.count, 0);
	concurrency_clear(&all);
}

TEST(users_are_counted_one_by_one)
{
	enum { USERS = 3000 };
	struct concurrency_user **users = memory_get(USERS * sizeof(*users));
	struct concurrency all;
	char name[20];
	struct err err;
	int i;

	concurrency_init(&all);
	for (i = 0; i < USERS; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		users[i] = concurrency_enter(&all, name, 1, &err);
		CHECK(users[i] != NULL);
	}
	CHECK_UINT(all.count, USERS);
	for (i = 0; i < USERS; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		if (!CHECK(concurrency_enter(&all, name, 1, &err) == NULL))
			break;
	}
	for (i = 0; i < USERS; i++)
		concurrency_leave(&all, users[i]);
	CHECK_UINT(all.count, 0);
	concurrency_clear(&all);
	memory_free(users);
}
