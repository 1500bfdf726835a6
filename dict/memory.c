/* memory - a dict that ends with its process
 *
 * An array in the order of the keys, and a list of what a transaction changed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "base/memory.h"
#include "dict/driver.h"

#include "base/banned.h"

struct item {
	size_t key_len, value_len;
	uint64_t expires_s;
	char bytes[]; /* key, value */
};

/* One change: what was there, NULL: nothing. */
struct change {
	struct item *before;
	struct item *after;
};

struct memory_dict {
	struct dict dict;
	struct item **items;
	size_t count, size;
	struct change *changes;
	size_t change_count, change_size;
};

static struct memory_dict *
own(struct dict *dict)
{
	return CONTAINER_OF(dict, struct memory_dict, dict);
}

static struct str
key_view(const struct item *item)
{
	return str_of(item->bytes, item->key_len);
}

static struct item *
make_item(const struct dict_entry *entry)
{
	struct item *item =
		memory_get(sizeof(*item) + entry->key.len + entry->value.len);

	item->key_len = entry->key.len;
	item->value_len = entry->value.len;
	item->expires_s = entry->expires_s;
	memcpy(item->bytes, entry->key.data, entry->key.len);
	if (entry->value.len > 0)
		memcpy(item->bytes + item->key_len, entry->value.data,
			entry->value.len);
	return item;
}

static void
read_item(struct arena *arena, const struct item *item,
	struct dict_entry *entry_out)
{
	entry_out->key = arena_copy(arena, key_view(item));
	entry_out->value = arena_copy(
		arena, str_of(item->bytes + item->key_len, item->value_len));
	entry_out->expires_s = item->expires_s;
}

/* The place of the first key that is not before `key`. */
static size_t
find_place(const struct memory_dict *memory, struct str key)
{
	size_t low = 0, high = memory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_compare(key_view(memory->items[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct memory_dict *memory, size_t place, struct str key)
{
	return place < memory->count &&
	       str_equal(key_view(memory->items[place]), key);
}

/* Puts `item` (NULL: nothing) in the place of the key; result: what was there. */
static struct item *
exchange(struct memory_dict *memory, struct str key, struct item *item)
{
	size_t place = find_place(memory, key);
	bool is_there = is_at(memory, place, key);
	struct item *before = is_there ? memory->items[place] : NULL;
	struct item **at;

	if (!is_there && item != NULL && memory->count == memory->size) {
		memory->size = memory->size ? memory->size * 2 : 64;
		memory->items = memory_resize(memory->items,
			memory_product(memory->size, sizeof(*memory->items)));
	}
	at = memory->items + place;
	if (is_there && item == NULL)
		memmove(at, at + 1,
			(--memory->count - place) * sizeof(*memory->items));
	else if (!is_there && item != NULL)
		memmove(at + 1, at,
			(memory->count++ - place) * sizeof(*memory->items));
	if (item != NULL)
		*at = item;
	return before;
}

static void
remember(struct memory_dict *memory, struct item *before, struct item *after)
{
	if (memory->change_count == memory->change_size) {
		memory->change_size =
			memory->change_size ? memory->change_size * 2 : 64;
		memory->changes = memory_resize(
			memory->changes, memory_product(memory->change_size,
						 sizeof(*memory->changes)));
	}
	memory->changes[memory->change_count++] =
		(struct change){before, after};
}

static void
change(struct memory_dict *memory, struct str key, struct item *item)
{
	remember(memory, exchange(memory, key, item), item);
}

/* ---- the driver ---- */

static int
memory_begin(struct dict *dict, struct err *err UNUSED)
{
	own(dict)->change_count = 0;
	return 0;
}

static int
memory_commit(struct dict *dict, struct err *err UNUSED)
{
	struct memory_dict *memory = own(dict);

	while (memory->change_count > 0)
		memory_free(memory->changes[--memory->change_count].before);
	return 0;
}

static void
memory_abort(struct dict *dict)
{
	struct memory_dict *memory = own(dict);

	while (memory->change_count > 0) {
		struct change *last = &memory->changes[--memory->change_count];
		struct item *named = last->after ? last->after : last->before;

		if (named != NULL)
			exchange(memory, key_view(named), last->before);
		memory_free(last->after);
	}
}

static enum lookup
memory_find(struct dict *dict, struct arena *arena, struct str key,
	struct dict_entry *entry_out, struct err *err UNUSED)
{
	struct memory_dict *memory = own(dict);
	size_t place = find_place(memory, key);

	if (!is_at(memory, place, key))
		return LOOKUP_NONE;
	read_item(arena, memory->items[place], entry_out);
	return LOOKUP_FOUND;
}

static int
memory_put(struct dict *dict, const struct dict_entry *entry,
	struct err *err UNUSED)
{
	change(own(dict), entry->key, make_item(entry));
	return 0;
}

static int
memory_remove(struct dict *dict, struct str key, struct err *err UNUSED)
{
	change(own(dict), key, NULL);
	return 0;
}

static int
memory_walk(struct dict *dict, struct arena *arena, struct str after,
	size_t most, struct dict_entry *entries, size_t *count_out,
	struct err *err UNUSED)
{
	struct memory_dict *memory = own(dict);
	size_t place = find_place(memory, after);

	if (is_at(memory, place, after))
		place++;
	*count_out = 0;
	while (*count_out < most && place < memory->count)
		read_item(arena, memory->items[place++],
			&entries[(*count_out)++]);
	return 0;
}

static void
memory_close(struct dict *dict)
{
	struct memory_dict *memory = own(dict);
	size_t i;

	for (i = 0; i < memory->count; i++)
		memory_free(memory->items[i]);
	memory_free(memory->items);
	memory_free(memory->changes);
	memory_free(memory);
}

static const struct dict_driver memory_driver = {
	.close = memory_close,
	.begin = memory_begin,
	.commit = memory_commit,
	.abort = memory_abort,
	.get = memory_find,
	.put = memory_put,
	.remove = memory_remove,
	.walk = memory_walk,
};

struct dict *
dict_open_memory(void)
{
	struct memory_dict *memory = memory_get(sizeof(*memory));

	memory->dict.driver = &memory_driver;
	return &memory->dict;
}
