/* Every kind of dict does the same.
 *
 * SPDX-License-Identifier: MIT */
#include "dict/dict.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct dict *dict;
static struct err err;

static struct dict *
open_bdb(void)
{
	struct dict_bdb_options options = {
		.folder = test_path("state"), .reserve_bytes = 1};
	struct dict *opened;

	REQUIRE(dict_open_bdb(&options, &opened, &err) == LOOKUP_FOUND);
	return opened;
}

/* One test for each driver. */
#define EACH_DRIVER(name)                                                      \
	static void name(void);                                                \
	TEST(memory_##name)                                                    \
	{                                                                      \
		arena = arena_open();                                          \
		dict = dict_open_memory();                                     \
		name();                                                        \
		dict_close(&dict);                                             \
		arena_close(&arena);                                           \
	}                                                                      \
	TEST(bdb_##name)                                                       \
	{                                                                      \
		arena = arena_open();                                          \
		dict = open_bdb();                                             \
		name();                                                        \
		dict_close(&dict);                                             \
		arena_close(&arena);                                           \
	}                                                                      \
	static void name(void)

static void
put(const char *key, const char *value, uint64_t expires_s)
{
	struct dict_entry entry = {str_from(key), str_from(value), expires_s};

	CHECK_INT(dict_put(dict, &entry, &err), 0);
}

static void
remove_key(const char *key)
{
	CHECK_INT(dict_delete(dict, str_from(key), &err), 0);
}

/* NULL: there is none. */
static const char *
get(const char *key)
{
	struct dict_entry entry;

	switch (dict_get(dict, arena, str_from(key), &entry, &err)) {
	case LOOKUP_FOUND:
		return arena_text(arena, entry.value);
	case LOOKUP_NONE:
		return NULL;
	case LOOKUP_ERROR:
		break;
	}
	test_failed(__FILE__, __LINE__, err_log_text(&err));
	return "an error";
}

/* All keys in their order. */
static const char *
keys(void)
{
	struct dict_walk walk = {.last = STR_EMPTY};
	const char *text = "";
	size_t i;

	do {
		REQUIRE(dict_walk(dict, arena, walk.last, 2, &walk, &err) == 0);
		for (i = 0; i < walk.count; i++)
			text = arena_format(arena, "%s%.*s ", text,
				STR_ARG(walk.entries[i].key));
	} while (walk.last.len > 0);
	return text;
}

EACH_DRIVER(finds_what_was_put)
{
	struct dict_entry entry;

	put("amy", "1", 77);
	CHECK_STR(get("amy"), "1");
	CHECK_STR(get("am"), NULL);
	REQUIRE(dict_get(dict, arena, STR("amy"), &entry, &err) ==
		LOOKUP_FOUND);
	CHECK_UINT(entry.expires_s, 77);
	CHECK_STR_IS(entry.key, "amy");
}

EACH_DRIVER(keeps_zero_bytes_and_empty_values)
{
	struct dict_entry entry = {STR("a\0b"), STR("\0\0\0"), UINT64_MAX};

	REQUIRE(dict_put(dict, &entry, &err) == 0);
	put("empty", "", 1);
	REQUIRE(dict_get(dict, arena, STR("a\0b"), &entry, &err) ==
		LOOKUP_FOUND);
	CHECK_STR_EQUAL(entry.value, STR("\0\0\0"));
	CHECK_UINT(entry.expires_s, UINT64_MAX);
	CHECK_STR(get("a"), NULL);
	CHECK_STR(get("empty"), "");
}

EACH_DRIVER(replaces_and_deletes)
{
	put("amy", "1", 1);
	put("amy", "22", 1);
	CHECK_STR(get("amy"), "22");
	remove_key("amy");
	CHECK_STR(get("amy"), NULL);
	remove_key("amy");
}

EACH_DRIVER(keeps_the_longest_key_and_value)
{
	char key[DICT_KEY_MAX + 1], value[DICT_VALUE_MAX + 1];
	struct dict_entry entry = {
		{key, DICT_KEY_MAX}, {value, DICT_VALUE_MAX}, 1};

	memset(key, 'k', sizeof(key));
	memset(value, 'v', sizeof(value));
	CHECK_INT(dict_put(dict, &entry, &err), 0);
	REQUIRE(dict_get(dict, arena, str_of(key, DICT_KEY_MAX), &entry,
			&err) == LOOKUP_FOUND);
	CHECK_UINT(entry.value.len, DICT_VALUE_MAX);
	entry.key.len++;
	CHECK_INT(dict_put(dict, &entry, &err), -1);
	entry = (struct dict_entry){STR("k"), {value, DICT_VALUE_MAX + 1}, 1};
	CHECK_INT(dict_put(dict, &entry, &err), -1);
	entry.key = STR_EMPTY;
	CHECK_INT(dict_delete(dict, entry.key, &err), -1);
}

EACH_DRIVER(walks_in_the_order_of_the_keys)
{
	put("b", "", 1);
	put("ab", "", 1);
	put("a", "", 1);
	put("\xff", "", 1);
	put("c", "", 1);
	CHECK_STR(keys(), "a ab b c \xff ");
	remove_key("b");
	CHECK_STR(keys(), "a ab c \xff ");
}

EACH_DRIVER(walks_on_behind_a_key_that_has_gone)
{
	struct dict_walk walk;

	put("a", "", 1);
	put("c", "", 1);
	REQUIRE(dict_walk(dict, arena, STR("b"), 5, &walk, &err) == 0);
	CHECK_UINT(walk.count, 1);
	CHECK_STR_IS(walk.entries[0].key, "c");
	CHECK_UINT(walk.last.len, 0);
	REQUIRE(dict_walk(dict, arena, STR("c"), 5, &walk, &err) == 0);
	CHECK_UINT(walk.count, 0);
}

EACH_DRIVER(walks_nothing_when_empty)
{
	CHECK_STR(keys(), "");
}

EACH_DRIVER(commits_all_of_a_transaction)
{
	put("old", "1", 1);
	REQUIRE(dict_begin(dict, &err) == 0);
	put("a", "1", 1);
	CHECK_STR(get("a"), "1");
	put("a", "2", 1);
	remove_key("old");
	REQUIRE(dict_commit(dict, &err) == 0);
	CHECK_STR(keys(), "a ");
	CHECK_STR(get("a"), "2");
}

EACH_DRIVER(aborts_all_of_a_transaction)
{
	put("old", "1", 1);
	put("other", "1", 1);
	REQUIRE(dict_begin(dict, &err) == 0);
	put("a", "1", 1);
	put("a", "2", 1);
	remove_key("a");
	remove_key("nobody");
	remove_key("old");
	put("old", "2", 1);
	put("other", "2", 1);
	put("z", "2", 1);
	dict_abort(dict);
	CHECK_STR(keys(), "old other ");
	CHECK_STR(get("old"), "1");
	CHECK_STR(get("other"), "1");
	REQUIRE(dict_begin(dict, &err) == 0);
	put("b", "1", 1);
	REQUIRE(dict_commit(dict, &err) == 0);
	CHECK_STR(keys(), "b old other ");
}

EACH_DRIVER(expires_in_steps)
{
	struct dict_walk removed;

	put("a", "", 10);
	put("b", "", 11);
	put("c", "", 9);
	put("d", "", 1);
	REQUIRE(dict_expire(dict, arena, STR_EMPTY, STR_EMPTY, 3, 10, &removed,
			&err) == 0);
	CHECK_UINT(removed.count, 2);
	CHECK_STR_IS(removed.entries[1].key, "c");
	CHECK_STR_IS(removed.last, "c");
	CHECK_STR(keys(), "b d ");
	REQUIRE(dict_expire(dict, arena, STR_EMPTY, removed.last, 3, 10,
			&removed, &err) == 0);
	CHECK_UINT(removed.last.len, 0);
	CHECK_STR(keys(), "b ");
}

EACH_DRIVER(expires_only_what_has_the_prefix)
{
	struct dict_walk removed;

	put("a1", "", 1);
	put("b", "", 1);
	put("b1", "", 1);
	put("b2", "", 20);
	put("b3", "", 15);
	put("b4", "", 1);
	put("c1", "", 1);
	REQUIRE(dict_expire(dict, arena, STR("b"), STR_EMPTY, 2, 10, &removed,
			&err) == 0);
	CHECK_UINT(removed.count, 1);
	CHECK_STR_IS(removed.last, "b2");
	CHECK_UINT(removed.next_s, 20);
	REQUIRE(dict_expire(dict, arena, STR("b"), removed.last, 10, 10,
			&removed, &err) == 0);
	CHECK_UINT(removed.count, 1);
	CHECK_UINT(removed.last.len, 0);
	CHECK_UINT(removed.next_s, 15);
	/* Nobody's: it is no more than the prefix. */
	CHECK_STR(keys(), "a1 b b2 b3 c1 ");
}

EACH_DRIVER(holds_many)
{
	char key[32];
	unsigned i;

	REQUIRE(dict_begin(dict, &err) == 0);
	for (i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "%u", i * 7919 % 3001);
		put(key, key, i);
	}
	REQUIRE(dict_commit(dict, &err) == 0);
	for (i = 0; i < 3000; i += 2) {
		snprintf(key, sizeof(key), "%u", i * 7919 % 3001);
		remove_key(key);
	}
	for (i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "%u", i * 7919 % 3001);
		CHECK_STR(get(key), i % 2 ? key : NULL);
	}
}
