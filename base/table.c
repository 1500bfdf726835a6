/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include "base/memory.h"

#include "base/banned.h"

enum { FIRST_SIZE = 64 };

void
table_clear(struct table *table)
{
	memory_free(table->chains);
	*table = (struct table){0};
}

/* Numbers are counted up, so that their low bits are spread well. */
static struct table_entry **
chain_of(const struct table *table, uint64_t number)
{
	return &table->chains[number & (table->size - 1)];
}

static void
put(struct table *table, struct table_entry *entry)
{
	struct table_entry **chain = chain_of(table, entry->number);

	entry->next = *chain;
	*chain = entry;
}

static void
grow(struct table *table)
{
	struct table old = *table;
	size_t i;

	table->size = old.size ? old.size * 2 : FIRST_SIZE;
	table->chains =
		memory_get(memory_product(table->size, sizeof(*table->chains)));
	for (i = 0; i < old.size; i++)
		while (old.chains[i] != NULL) {
			struct table_entry *entry = old.chains[i];

			old.chains[i] = entry->next;
			put(table, entry);
		}
	memory_free(old.chains);
}

void
table_add(struct table *table, struct table_entry *entry, uint64_t number)
{
	if (table->count >= table->size)
		grow(table);
	entry->number = number;
	put(table, entry);
	table->count++;
}

struct table_entry *
table_find(const struct table *table, uint64_t number)
{
	struct table_entry *entry;

	if (table->size == 0)
		return NULL;
	entry = *chain_of(table, number);
	while (entry != NULL && entry->number != number)
		entry = entry->next;
	return entry;
}

void
table_remove(struct table *table, struct table_entry *entry)
{
	struct table_entry **at;

	if (table->size == 0)
		return;
	for (at = chain_of(table, entry->number); *at != NULL;
		at = &(*at)->next)
		if (*at == entry) {
			*at = entry->next;
			table->count--;
			return;
		}
}
