/* SPDX-License-Identifier: MIT */
#include "mail/boundary.h"

#include "base/memory.h"

#include "base/banned.h"

void
boundary_set_clear(struct boundary_set *set)
{
	memory_free(set->items);
	*set = (struct boundary_set){.items = NULL};
}

/* Behind all that are not greater. */
static size_t
place_behind(const struct boundary_set *set, struct str text)
{
	size_t from = 0, to = set->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (str_compare(set->items[middle].text, text) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

void
boundary_add(struct boundary_set *set, struct str text, size_t owner)
{
	size_t at = place_behind(set, text);

	if (set->count == set->size) {
		set->size = set->size > 0 ? set->size * 2 : 8;
		set->items = memory_resize(set->items,
			memory_product(set->size, sizeof(*set->items)));
	}
	memmove(set->items + at + 1, set->items + at,
		(set->count - at) * sizeof(*set->items));
	set->items[at] = (struct boundary){text, owner};
	set->count++;
}

void
boundary_remove(struct boundary_set *set, struct str text)
{
	size_t at = place_behind(set, text);

	if (at == 0 || !str_equal(set->items[at - 1].text, text))
		return;
	memmove(set->items + at - 1, set->items + at,
		(set->count - at) * sizeof(*set->items));
	set->count--;
}

/* The byte at `at` as a number, 0 for the end of the text. */
static int
rank(struct str text, size_t at)
{
	return at < text.len ? (unsigned char)text.data[at] + 1 : 0;
}

/* The first item of [from, to) whose byte at `at` is not below `least`. */
static size_t
narrow(struct boundary_set *set, size_t from, size_t to, size_t at, int least)
{
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		set->steps++;
		if (rank(set->items[middle].text, at) < least)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* [from, to): those that begin as the line does, `at` bytes of it. */
bool
boundary_find(struct boundary_set *set, struct str line, size_t *owner_out,
	size_t *length_out)
{
	size_t from = 0, to = set->count, at;
	bool is_found = false;

	for (at = 0; from < to; at++) {
		size_t longer = narrow(set, from, to, at, 1);

		if (longer > from) {
			*owner_out = set->items[longer - 1].owner;
			*length_out = at;
			is_found = true;
		}
		if (at == line.len)
			break;
		from = narrow(set, longer, to, at, rank(line, at));
		to = narrow(set, from, to, at, rank(line, at) + 1);
	}
	return is_found;
}
