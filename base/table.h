/* table - what is under way, found by its number
 *
 * Entries are embedded in what they are about (CONTAINER_OF gets back there); the
 * table owns none of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_entry {
	uint64_t number;
	struct table_entry *next;
};

/* {0} is an empty one. */
struct table {
	struct table_entry **chains;
	size_t size; /* chains; a power of two */
	size_t count;
};

void table_clear(struct table *table);
/* A number that is not in the table. */
void table_add(struct table *table, struct table_entry *entry, uint64_t number);
/* NULL: not there. */
struct table_entry *table_find(const struct table *table, uint64_t number);
/* Nothing when it is not there. */
void table_remove(struct table *table, struct table_entry *entry);

#endif
