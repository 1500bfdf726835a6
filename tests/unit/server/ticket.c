/* SPDX-License-Identifier: MIT */
#include "server/ticket.h"

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_ticket_is_found_by_its_number_until_it_is_removed)
{
	struct ticket_table table;
	struct wire_ticket id;
	struct ticket *ticket;
	struct err err;

	tickets_init(&table, 1000);
	ticket = tickets_add(&table, NULL, STR("a\0b"), &err);
	REQUIRE(ticket != NULL);
	id = ticket->id;
	CHECK(tickets_find(&table, &id) == ticket);
	CHECK_STR_EQUAL(ticket_user(ticket), STR("a\0b"));
	id.bytes[15] ^= 1;
	CHECK(tickets_find(&table, &id) == NULL);
	id.bytes[15] ^= 1;
	tickets_remove(&table, ticket);
	CHECK(tickets_find(&table, &id) == NULL);
	CHECK_UINT(table.bytes, 0);
	tickets_clear(&table);
}

TEST(a_table_without_tickets_finds_none)
{
	struct ticket_table table;
	struct wire_ticket id = {{0}};

	tickets_init(&table, 1000);
	CHECK(tickets_find(&table, &id) == NULL);
	CHECK(tickets_any(&table) == NULL);
	tickets_clear(&table);
}

TEST(many_tickets_are_all_found_and_all_given_back)
{
	enum { MANY = 3000 };
	static struct wire_ticket ids[MANY];
	struct ticket_table table;
	struct ticket *ticket;
	struct err err;
	size_t i, removed = 0;

	tickets_init(&table, (size_t)1 << 20);
	for (i = 0; i < MANY; i++) {
		ticket = tickets_add(&table, NULL, STR("user"), &err);
		REQUIRE(ticket != NULL);
		ids[i] = ticket->id;
	}
	for (i = 0; i < MANY; i++)
		REQUIRE(tickets_find(&table, &ids[i]) != NULL);
	while ((ticket = tickets_any(&table)) != NULL) {
		tickets_remove(&table, ticket);
		removed++;
	}
	CHECK_UINT(removed, MANY);
	REQUIRE(tickets_add(&table, NULL, STR("again"), &err) != NULL);
	CHECK(tickets_any(&table) != NULL);
	tickets_clear(&table);
	CHECK_UINT(table.count, 0);
}

TEST(more_bytes_than_the_limit_are_452_4_3_1)
{
	struct ticket_table table;
	struct ticket *first;
	struct err err;

	tickets_init(&table, sizeof(struct ticket) + 4);
	first = tickets_add(&table, NULL, STR("four"), &err);
	REQUIRE(first != NULL);
	CHECK(tickets_add(&table, NULL, STR(""), &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.1");
	tickets_remove(&table, first);
	CHECK(tickets_add(&table, NULL, STR("four"), &err) != NULL);
	tickets_clear(&table);
}
