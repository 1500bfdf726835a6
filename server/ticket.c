/* SPDX-License-Identifier: MIT */
#include "server/ticket.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#include "base/banned.h"

enum { BUCKETS_LEAST = 256 };

void
tickets_init(struct ticket_table *table, size_t bytes_max)
{
	*table = (struct ticket_table){.bytes_max = bytes_max};
}

void
tickets_clear(struct ticket_table *table)
{
	struct ticket *ticket;

	while ((ticket = tickets_any(table)) != NULL)
		tickets_remove(table, ticket);
	memory_free(table->buckets);
	tickets_init(table, table->bytes_max);
}

/* Tickets are random, and so nobody can choose those of one bucket. */
static struct ticket **
bucket_of(const struct ticket_table *table, const struct wire_ticket *id)
{
	uint64_t number;

	memcpy(&number, id->bytes, sizeof(number));
	return &table->buckets[number & (table->bucket_count - 1)];
}

static void
put(struct ticket_table *table, struct ticket *ticket)
{
	struct ticket **bucket = bucket_of(table, &ticket->id);

	ticket->next = *bucket;
	*bucket = ticket;
	if ((size_t)(bucket - table->buckets) < table->sweep)
		table->sweep = (size_t)(bucket - table->buckets);
}

static void
make_room(struct ticket_table *table)
{
	struct ticket_table old = *table;
	size_t i;

	if (old.count < old.bucket_count)
		return;
	table->bucket_count =
		old.bucket_count > 0 ? old.bucket_count * 2 : BUCKETS_LEAST;
	table->buckets = memory_get(
		memory_product(table->bucket_count, sizeof(*table->buckets)));
	for (i = 0; i < old.bucket_count; i++)
		while (old.buckets[i] != NULL) {
			struct ticket *ticket = old.buckets[i];

			old.buckets[i] = ticket->next;
			put(table, ticket);
		}
	memory_free(old.buckets);
}

static size_t
bytes_of(size_t user_len)
{
	return sizeof(struct ticket) + user_len;
}

struct ticket *
tickets_add(struct ticket_table *table, struct pool_group *group,
	struct str user, struct err *err)
{
	size_t bytes = bytes_of(user.len);
	struct ticket *ticket;

	if (bytes > table->bytes_max - table->bytes) {
		err_set(err, ERR_TEMPORARY, "4.3.1",
			"Insufficient system resources");
		err_detail(err,
			"the recipients of all transactions take more than "
			"%zu bytes",
			table->bytes_max);
		return NULL;
	}
	make_room(table);
	ticket = memory_get(bytes);
	clock_random(ticket->id.bytes, sizeof(ticket->id.bytes));
	ticket->group = group;
	ticket->user_len = user.len;
	if (user.len > 0)
		memcpy(ticket->user, user.data, user.len);
	put(table, ticket);
	table->count++;
	table->bytes += bytes;
	return ticket;
}

struct ticket *
tickets_find(const struct ticket_table *table, const struct wire_ticket *id)
{
	struct ticket *ticket;

	if (table->count == 0)
		return NULL;
	for (ticket = *bucket_of(table, id); ticket != NULL;
		ticket = ticket->next)
		if (memcmp(ticket->id.bytes, id->bytes, sizeof(id->bytes)) == 0)
			return ticket;
	return NULL;
}

void
tickets_remove(struct ticket_table *table, struct ticket *ticket)
{
	struct ticket **link = bucket_of(table, &ticket->id);

	while (*link != ticket)
		link = &(*link)->next;
	*link = ticket->next;
	table->count--;
	table->bytes -= bytes_of(ticket->user_len);
	memory_free(ticket);
}

struct ticket *
tickets_any(struct ticket_table *table)
{
	if (table->count == 0)
		return NULL;
	while (table->buckets[table->sweep] == NULL)
		table->sweep++;
	return table->buckets[table->sweep];
}
