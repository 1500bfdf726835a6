/* SPDX-License-Identifier: MIT */
#include "server/marks.h"

#include <search.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

#include "base/banned.h"

enum {
	UID_BYTES = 4,
	DICT_KEY_BYTES = 1 + UID_BYTES + WIRE_MARK_KEY,
	COUNT_STEP = 1000
};

const struct marks_limits marks_limits_default = {
	.marks = 4 * 1000 * 1000,
	.marks_per_uid = 2 * 1000 * 1000,
	.lifetime_s = UINT64_C(3650) * 24 * 60 * 60,
};

struct dict_key {
	unsigned char bytes[DICT_KEY_BYTES];
};

struct usage {
	uint32_t uid; /* first: what the tree compares */
	uint64_t count;
};

struct marks {
	struct dict *dict;
	struct marks_limits limits;
	void *usages; /* tree of struct usage */
	uint64_t count;
	struct marks_counters counters;
	uint64_t sweep_next_s; /* next_s of what was swept so far */
	struct arena *scratch;
	struct arena_mark scratch_begin;
	struct dict_key swept; /* the sweep goes on behind it */
	bool is_sweeping;
};

/* Comes before all marks, and behind all that is not one. */
#define BEFORE_ALL STR("s")

/* ---- keys ---- */

static struct dict_key
make_key(uint32_t uid, const unsigned char key[WIRE_MARK_KEY])
{
	struct dict_key result;

	result.bytes[0] = 's';
	result.bytes[1] = (unsigned char)(uid >> 24);
	result.bytes[2] = (unsigned char)(uid >> 16);
	result.bytes[3] = (unsigned char)(uid >> 8);
	result.bytes[4] = (unsigned char)uid;
	memcpy(result.bytes + 1 + UID_BYTES, key, WIRE_MARK_KEY);
	return result;
}

static struct str
key_view(const struct dict_key *key)
{
	return str_of((const char *)key->bytes, sizeof(key->bytes));
}

static bool
is_ours(struct str key)
{
	return key.len == DICT_KEY_BYTES && key.data[0] == 's';
}

static uint32_t
uid_of(struct str key)
{
	const unsigned char *bytes = (const unsigned char *)key.data;

	return (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 8 | bytes[4];
}

/* ---- kinds ---- */

/* One that an earlier release has written has none. */
static enum wire_mark_kind
kind_of(const struct dict_entry *entry)
{
	unsigned kind =
		entry->value.len > 0 ? (unsigned char)entry->value.data[0] : 0;

	return kind < WIRE_MARK_KINDS ? (enum wire_mark_kind)kind
	                              : WIRE_MARK_DUPLICATE;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static void
note(struct marks *marks, const struct dict_entry *entry)
{
	struct marks_counters *counters = &marks->counters;

	counters->by_kind[kind_of(entry)]++;
	counters->next_s = earlier(counters->next_s, entry->expires_s);
	marks->sweep_next_s = earlier(marks->sweep_next_s, entry->expires_s);
}

/* ---- how many ---- */

static int
compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static uint64_t
count_of(const struct marks *marks, uint32_t uid)
{
	struct usage **node = tfind(&uid, &marks->usages, compare_uids);

	return node == NULL ? 0 : (*node)->count;
}

static void
add(struct marks *marks, uint32_t uid, uint64_t count)
{
	struct usage **node = tfind(&uid, &marks->usages, compare_uids);
	struct usage *usage;

	marks->count += count;
	if (node != NULL) {
		(*node)->count += count;
		return;
	}
	usage = memory_get(sizeof(*usage));
	usage->uid = uid;
	usage->count = count;
	if (tsearch(usage, &marks->usages, compare_uids) == NULL)
		memory_exhausted();
}

static void
subtract(struct marks *marks, uint32_t uid, uint64_t count)
{
	struct usage **node = tfind(&uid, &marks->usages, compare_uids);
	struct usage *usage;

	if (node == NULL || (*node)->count < count)
		BUG("a mark that was not counted");
	usage = *node;
	marks->count -= count;
	usage->count -= count;
	if (usage->count > 0)
		return;
	tdelete(usage, &marks->usages, compare_uids);
	memory_free(usage);
}

static void
take_away(struct marks *marks, const struct dict_entry *entry)
{
	marks->counters.by_kind[kind_of(entry)]--;
	subtract(marks, uid_of(entry->key), 1);
}

static void
free_node(void *node)
{
	memory_free(node);
}

static void
count_one(struct marks *marks, const struct dict_entry *entry)
{
	if (!is_ours(entry->key))
		return;
	add(marks, uid_of(entry->key), 1);
	note(marks, entry);
}

static int
count_all(struct marks *marks, struct err *err)
{
	char last[DICT_KEY_MAX];
	struct str after = BEFORE_ALL;
	struct dict_walk walk;
	size_t i;

	tdestroy(marks->usages, free_node);
	marks->usages = NULL;
	marks->count = 0;
	marks->counters = (struct marks_counters){.next_s = 0};
	do {
		arena_release(marks->scratch, marks->scratch_begin);
		if (dict_walk(marks->dict, marks->scratch, after, COUNT_STEP,
			    &walk, err) < 0)
			return -1;
		for (i = 0; i < walk.count; i++)
			count_one(marks, &walk.entries[i]);
		memcpy(last, walk.last.data, walk.last.len);
		after = str_of(last, walk.last.len);
	} while (after.len > 0);
	arena_release(marks->scratch, marks->scratch_begin);
	return 0;
}

/* ---- opening ---- */

int
marks_open(struct dict *dict, const struct marks_limits *limits,
	struct marks **marks_out, struct err *err)
{
	struct marks *marks = memory_get(sizeof(*marks));

	marks->dict = dict;
	marks->limits = *limits;
	marks->scratch = arena_open();
	/* Something of it stays, so that its memory is not asked for each time. */
	arena_alloc(marks->scratch, 1);
	marks->scratch_begin = arena_mark(marks->scratch);
	*marks_out = marks;
	if (count_all(marks, err) == 0)
		return 0;
	marks_close(marks_out);
	return -1;
}

void
marks_close(struct marks **marks)
{
	if (*marks == NULL)
		return;
	tdestroy((*marks)->usages, free_node);
	arena_close(&(*marks)->scratch);
	memory_free(*marks);
	*marks = NULL;
}

int
marks_move(struct marks *marks, struct dict *dict, struct err *err)
{
	marks->dict = dict;
	return count_all(marks, err);
}

struct marks_counters
marks_counters(const struct marks *marks)
{
	return marks->counters;
}

uint64_t
marks_count(const struct marks *marks)
{
	return marks->count;
}

/* ---- asking ---- */

static enum lookup
look_up(struct marks *marks, const struct dict_key *key, uint64_t *expires_out,
	enum wire_mark_kind *kind_out, struct err *err)
{
	struct dict_entry entry;
	enum lookup found = dict_get(
		marks->dict, marks->scratch, key_view(key), &entry, err);

	if (found == LOOKUP_FOUND) {
		*expires_out = entry.expires_s;
		*kind_out = kind_of(&entry);
	}
	arena_release(marks->scratch, marks->scratch_begin);
	return found;
}

enum lookup
marks_find(struct marks *marks, uint32_t uid,
	const unsigned char key[WIRE_MARK_KEY], uint64_t now_s, struct err *err)
{
	struct dict_key full = make_key(uid, key);
	uint64_t expires_s = 0;
	enum wire_mark_kind kind;
	enum lookup found = look_up(marks, &full, &expires_s, &kind, err);

	return found == LOOKUP_FOUND && expires_s <= now_s ? LOOKUP_NONE
	                                                   : found;
}

/* ---- keeping ---- */

static int
check_room(struct marks *marks, uint32_t uid, uint64_t added, struct err *err)
{
	if (marks->count + added > marks->limits.marks)
		return err_temp(err, "4.3.1", "there are %llu marks already",
			(unsigned long long)marks->count);
	if (count_of(marks, uid) + added > marks->limits.marks_per_uid)
		return err_temp(err, "4.3.1",
			"there are %llu marks of uid %u already",
			(unsigned long long)count_of(marks, uid),
			(unsigned)uid);
	return 0;
}

struct change {
	uint64_t added, removed;
};

/* Counts by kind are changed at once; who aborts the transaction puts the old ones
 * back.  What expires now is given back. */
static int
put(struct marks *marks, uint32_t uid, const struct wire_mark_item *item,
	uint64_t now_s, struct change *change, struct err *err)
{
	struct dict_key key = make_key(uid, item->key);
	const char kind = (char)item->kind;
	uint64_t latest = now_s + marks->limits.lifetime_s, before;
	struct dict_entry entry = {.key = key_view(&key),
		.value = str_of(&kind, 1),
		.expires_s =
			item->expires_s < latest ? item->expires_s : latest};
	enum wire_mark_kind old_kind = WIRE_MARK_DUPLICATE;
	enum lookup found = look_up(marks, &key, &before, &old_kind, err);

	if (found == LOOKUP_ERROR)
		return -1;
	if (found == LOOKUP_FOUND)
		marks->counters.by_kind[old_kind]--;
	if (item->expires_s <= now_s) {
		change->removed += found == LOOKUP_FOUND;
		return found == LOOKUP_FOUND
		               ? dict_delete(marks->dict, entry.key, err)
		               : 0;
	}
	change->added += found == LOOKUP_NONE;
	if (found == LOOKUP_NONE &&
		check_room(marks, uid, change->added, err) < 0)
		return -1;
	note(marks, &entry);
	return dict_put(marks->dict, &entry, err);
}

static int
put_all(struct marks *marks, uint32_t uid, const struct wire_mark_item *items,
	size_t count, uint64_t now_s, struct change *change, struct err *err)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (put(marks, uid, &items[i], now_s, change, err) < 0) {
			dict_abort(marks->dict);
			return -1;
		}
	return dict_commit(marks->dict, err);
}

int
marks_keep(struct marks *marks, uint32_t uid,
	const struct wire_mark_item *items, size_t count, uint64_t now_s,
	struct err *err)
{
	const struct marks_counters before = marks->counters;
	struct change change = {0, 0};

	if (dict_has_room(marks->dict, err) < 0 ||
		dict_begin(marks->dict, err) < 0)
		return -1;
	if (put_all(marks, uid, items, count, now_s, &change, err) < 0) {
		marks->counters = before;
		return -1;
	}
	if (change.added > 0)
		add(marks, uid, change.added);
	if (change.removed > 0)
		subtract(marks, uid, change.removed);
	return 0;
}

/* ---- sweeping ---- */

enum lookup
marks_sweep(struct marks *marks, uint64_t now_s, size_t most, struct err *err)
{
	struct str after =
		marks->is_sweeping ? key_view(&marks->swept) : BEFORE_ALL;
	struct dict_walk removed;
	size_t i;

	if (!marks->is_sweeping)
		marks->sweep_next_s = 0;
	marks->is_sweeping = false;
	if (dict_begin(marks->dict, err) < 0)
		return LOOKUP_ERROR;
	if (dict_expire(marks->dict, marks->scratch, BEFORE_ALL, after, most,
		    now_s, &removed, err) < 0) {
		dict_abort(marks->dict);
		return LOOKUP_ERROR;
	}
	if (dict_commit(marks->dict, err) < 0)
		return LOOKUP_ERROR;
	for (i = 0; i < removed.count; i++)
		if (is_ours(removed.entries[i].key))
			take_away(marks, &removed.entries[i]);
	marks->sweep_next_s = earlier(marks->sweep_next_s, removed.next_s);
	marks->is_sweeping = is_ours(removed.last);
	if (!marks->is_sweeping)
		marks->counters.next_s = marks->sweep_next_s;
	if (marks->is_sweeping)
		memcpy(marks->swept.bytes, removed.last.data,
			sizeof(marks->swept.bytes));
	arena_release(marks->scratch, marks->scratch_begin);
	return marks->is_sweeping ? LOOKUP_FOUND : LOOKUP_NONE;
}
