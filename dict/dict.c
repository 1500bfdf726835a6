/* SPDX-License-Identifier: MIT */
#include "dict/dict.h"

#include "base/memory.h"
#include "dict/driver.h"

#include "base/banned.h"

void
dict_close(struct dict **dict)
{
	if (*dict == NULL)
		return;
	dict_abort(*dict);
	(*dict)->driver->close(*dict);
	*dict = NULL;
}

static int
check_key(struct str key, struct err *err)
{
	if (key.len == 0 || key.len > DICT_KEY_MAX)
		return err_temp(err, "4.3.0", "a key has %zu bytes", key.len);
	return 0;
}

int
dict_has_room(struct dict *dict, struct err *err)
{
	return dict->driver->has_room == NULL
	               ? 0
	               : dict->driver->has_room(dict, err);
}

int
dict_begin(struct dict *dict, struct err *err)
{
	if (dict->has_transaction)
		BUG("a transaction within a transaction");
	if (dict->driver->begin(dict, err) < 0)
		return -1;
	dict->has_transaction = true;
	return 0;
}

int
dict_commit(struct dict *dict, struct err *err)
{
	if (!dict->has_transaction)
		BUG("no transaction to commit");
	dict->has_transaction = false;
	return dict->driver->commit(dict, err);
}

void
dict_abort(struct dict *dict)
{
	if (!dict->has_transaction)
		return;
	dict->has_transaction = false;
	dict->driver->abort(dict);
}

enum lookup
dict_get(struct dict *dict, struct arena *arena, struct str key,
	struct dict_entry *entry_out, struct err *err)
{
	if (check_key(key, err) < 0)
		return LOOKUP_ERROR;
	return dict->driver->get(dict, arena, key, entry_out, err);
}

static int
change_within(struct dict *dict, const struct dict_entry *entry, struct str key,
	struct err *err)
{
	return entry != NULL ? dict->driver->put(dict, entry, err)
	                     : dict->driver->remove(dict, key, err);
}

/* NULL: delete.  A change alone is a transaction as well. */
static int
change(struct dict *dict, const struct dict_entry *entry, struct str key,
	struct err *err)
{
	if (dict->has_transaction)
		return change_within(dict, entry, key, err);
	if (dict_begin(dict, err) < 0)
		return -1;
	if (change_within(dict, entry, key, err) == 0)
		return dict_commit(dict, err);
	dict_abort(dict);
	return -1;
}

int
dict_put(struct dict *dict, const struct dict_entry *entry, struct err *err)
{
	if (check_key(entry->key, err) < 0)
		return -1;
	if (entry->value.len > DICT_VALUE_MAX)
		return err_temp(err, "4.3.0", "a value has %zu bytes",
			entry->value.len);
	return change(dict, entry, entry->key, err);
}

int
dict_delete(struct dict *dict, struct str key, struct err *err)
{
	if (check_key(key, err) < 0)
		return -1;
	return change(dict, NULL, key, err);
}

int
dict_walk(struct dict *dict, struct arena *arena, struct str after, size_t most,
	struct dict_walk *walk_out, struct err *err)
{
	walk_out->next_s = 0;
	walk_out->entries = ARENA_ARRAY(arena, struct dict_entry, most);
	if (dict->driver->walk(dict, arena, after, most, walk_out->entries,
		    &walk_out->count, err) < 0)
		return -1;
	walk_out->last = walk_out->count < most
	                         ? STR_EMPTY
	                         : walk_out->entries[walk_out->count - 1].key;
	return 0;
}

static bool
has_expired(
	struct dict_walk *walk, const struct dict_entry *entry, uint64_t now_s)
{
	if (entry->expires_s <= now_s)
		return true;
	if (walk->next_s == 0 || entry->expires_s < walk->next_s)
		walk->next_s = entry->expires_s;
	return false;
}

/* Keys are in order: behind the last one with the prefix there is no other. */
static int
remove_expired(struct dict *dict, struct str prefix, uint64_t now_s,
	struct dict_walk *walk, struct err *err)
{
	size_t kept = 0, i;

	for (i = 0; i < walk->count; i++) {
		struct dict_entry *entry = &walk->entries[i];

		if (!str_starts(entry->key, prefix)) {
			walk->last = STR_EMPTY;
			break;
		}
		if (!has_expired(walk, entry, now_s))
			continue;
		if (dict_delete(dict, entry->key, err) < 0)
			return -1;
		walk->entries[kept++] = *entry;
	}
	walk->count = kept;
	return 0;
}

int
dict_expire(struct dict *dict, struct arena *arena, struct str prefix,
	struct str after, size_t most, uint64_t now_s,
	struct dict_walk *removed_out, struct err *err)
{
	/* The prefix alone comes before all that is longer. */
	if (after.len == 0)
		after = prefix;
	if (dict_walk(dict, arena, after, most, removed_out, err) < 0)
		return -1;
	return remove_expired(dict, prefix, now_s, removed_out, err);
}

bool
dict_is_broken(const struct dict *dict)
{
	return dict->is_broken;
}

void
dict_is_well(struct dict *dict)
{
	if (dict->driver->well != NULL)
		dict->driver->well(dict);
}
