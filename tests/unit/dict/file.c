/* A dict that is a text file
 *
 * SPDX-License-Identifier: MIT
 */
#include "dict/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct dict *dict;
static struct err err;

static void
begin(const char *text, enum dict_file_kind kind)
{
	arena = arena_open();
	REQUIRE(dict_open_file(test_file("dict", text), kind, &dict, &err) ==
		LOOKUP_FOUND);
}

static void
end(void)
{
	dict_close(&dict);
	arena_close(&arena);
}

/* The value, "-" for none. */
static const char *
value(const char *key)
{
	struct dict_entry entry;

	if (dict_get(dict, arena, str_from(key), &entry, &err) != LOOKUP_FOUND)
		return "-";
	CHECK_STR_IS(entry.key, key);
	return arena_text(arena, entry.value);
}

TEST(pairs_are_a_line_with_the_key_and_one_with_its_value)
{
	begin("priv/b\nbe\npriv/a\n\npriv/c\nsee\n", DICT_FILE_PAIRS);
	CHECK_STR(value("priv/a"), "");
	CHECK_STR(value("priv/b"), "be");
	CHECK_STR(value("priv/c"), "see");
	CHECK_STR(value("be"), "-");
	CHECK_STR(value("priv/"), "-");
	end();
}

TEST(of_a_key_that_comes_twice_the_last_one_counts)
{
	begin("a\n1\nb\n2\na\n3\n", DICT_FILE_PAIRS);
	CHECK_STR(value("a"), "3");
	CHECK_STR(value("b"), "2");
	end();
}

TEST(a_key_without_a_value_is_not_there)
{
	begin("a\n1\nb", DICT_FILE_PAIRS);
	CHECK_STR(value("a"), "1");
	CHECK_STR(value("b"), "-");
	end();
}

TEST(lines_end_with_lf_or_cr_lf)
{
	begin("a\r\n1\r\nb\n2", DICT_FILE_PAIRS);
	CHECK_STR(value("a"), "1");
	CHECK_STR(value("b"), "2");
	end();
}

TEST(lines_are_keys_without_a_value)
{
	begin("# friends\nada@example.org\n\n  Bob@example.org\t\r\n #no\n",
		DICT_FILE_LINES);
	CHECK_STR(value("ada@example.org"), "");
	CHECK_STR(value("Bob@example.org"), "");
	CHECK_STR(value("bob@example.org"), "-");
	CHECK_STR(value("# friends"), "-");
	CHECK_STR(value("#no"), "-");
	end();
}

TEST(an_empty_file_is_an_empty_dict)
{
	begin("", DICT_FILE_LINES);
	CHECK_STR(value("a"), "-");
	end();
}

TEST(a_walk_goes_through_all_keys_in_their_order)
{
	struct dict_walk walk = {.last = STR_EMPTY};

	begin("c\nb\na\nb\n", DICT_FILE_LINES);
	REQUIRE(dict_walk(dict, arena, walk.last, 2, &walk, &err) == 0);
	REQUIRE(walk.count == 2);
	CHECK_STR_IS(walk.entries[0].key, "a");
	CHECK_STR_IS(walk.entries[1].key, "b");
	REQUIRE(dict_walk(dict, arena, walk.last, 2, &walk, &err) == 0);
	REQUIRE(walk.count == 1);
	CHECK_STR_IS(walk.entries[0].key, "c");
	CHECK_UINT(walk.last.len, 0);
	end();
}

TEST(it_is_not_written)
{
	struct dict_entry entry = {.key = STR("a"), .value = STR("b")};

	begin("a\n1\n", DICT_FILE_PAIRS);
	CHECK_INT(dict_put(dict, &entry, &err), -1);
	CHECK_INT(dict_delete(dict, STR("a"), &err), -1);
	CHECK_STR(value("a"), "1");
	end();
}

static enum lookup
open_at(const char *path)
{
	enum lookup found = dict_open_file(path, DICT_FILE_LINES, &dict, &err);

	CHECK((found == LOOKUP_FOUND) == (dict != NULL));
	if (found == LOOKUP_ERROR)
		CHECK_INT(err.kind, ERR_TEMPORARY);
	dict_close(&dict);
	return found;
}

TEST(a_file_that_is_not_there_is_none)
{
	CHECK_INT(open_at(test_path("none")), LOOKUP_NONE);
	CHECK_INT(open_at(test_path("no/folder")), LOOKUP_NONE);
}

TEST(what_is_no_file_is_an_error)
{
	CHECK_INT(open_at(test_folder()), LOOKUP_ERROR);
	REQUIRE(mkfifo(test_path("fifo"), 0600) == 0);
	CHECK_INT(open_at(test_path("fifo")), LOOKUP_ERROR);
}

TEST(a_file_that_is_too_long_is_an_error)
{
	const char *path = test_file("long", "");

	REQUIRE(truncate(path, DICT_FILE_MAX + 1) == 0);
	CHECK_INT(open_at(path), LOOKUP_ERROR);
	REQUIRE(truncate(path, DICT_FILE_MAX) == 0);
	CHECK_INT(open_at(path), LOOKUP_FOUND);
}

/* ---- tables of Postfix: maps/, whose pages have 512 bytes ---- */

static enum lookup
open_map(const char *name, enum dict_file_kind kind)
{
	arena = arena_open();
	return dict_open_file(
		test_source(arena_format(arena, "tests/unit/dict/%s", name)),
		kind, &dict, &err);
}

/* user1@example.org to user60@example.org */
static size_t
count_users(void)
{
	size_t count = 0, i;

	for (i = 1; i <= 60; i++)
		count += strcmp(value(arena_format(
					arena, "user%zu@example.org", i)),
				 "OK") == 0;
	return count;
}

static const struct {
	const char *name;
	enum dict_file_kind kind;
} maps[] = {
	{"maps/hash.db", DICT_FILE_BERKELEY},
	{"maps/btree.db", DICT_FILE_BERKELEY},
	{"maps/cdb.cdb", DICT_FILE_CDB},
};

TEST(a_map_has_all_keys_without_the_zero_at_their_end)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(maps); i++) {
		REQUIRE(open_map(maps[i].name, maps[i].kind) == LOOKUP_FOUND);
		CHECK_INT(count_users(), 60);
		CHECK_STR(value("user61@example.org"), "-");
		CHECK_STR(value("deleted@example.org"), "-");
		end();
	}
	REQUIRE(open_map("maps/hash.db", DICT_FILE_BERKELEY) == LOOKUP_FOUND);
	CHECK_STR(value("plain@example.org"), "OK");
	CHECK_STR(value("big@example.org"), "");
	end();
}

static void
open_bytes(struct str bytes, enum dict_file_kind kind)
{
	const char *path = test_path("map");
	FILE *file = fopen(path, "w");

	REQUIRE(file != NULL &&
		fwrite(bytes.data, 1, bytes.len, file) == bytes.len &&
		fclose(file) == 0);
	if (dict_open_file(path, kind, &dict, &err) == LOOKUP_ERROR)
		CHECK_INT(err.kind, ERR_TEMPORARY);
	dict_close(&dict);
}

/* Whatever a byte of it is: an answer or an error, and no more than that. */
TEST(a_map_that_lies_is_an_error_or_another_map)
{
	size_t i, at;

	for (i = 0; i < ARRAY_LENGTH(maps); i++) {
		struct str good =
			test_read(test_source(arena_format(arena = arena_open(),
				"tests/unit/dict/%s", maps[i].name)));
		char *bytes = arena_alloc(arena, good.len);

		for (at = 0; at < good.len; at += at < 600 ? 1 : 7) {
			memcpy(bytes, good.data, good.len);
			bytes[at] = (char)(bytes[at] ^ (at % 2 ? 0xff : 0x01));
			open_bytes(str_of(bytes, good.len), maps[i].kind);
			open_bytes(str_of(bytes, at), maps[i].kind);
		}
		arena_close(&arena);
	}
}

TEST(what_is_no_map_is_an_error)
{
	CHECK_INT(open_map("file.c", DICT_FILE_BERKELEY), LOOKUP_ERROR);
	CHECK(strstr(err.detail, "no hash or btree of Berkeley DB") != NULL);
	arena_close(&arena);
	CHECK_INT(open_map("file.c", DICT_FILE_CDB), LOOKUP_ERROR);
	CHECK(strstr(err.detail, "file.c is") != NULL);
	arena_close(&arena);
}

TEST(a_texthash_has_a_key_and_a_value_in_a_line)
{
	begin("# a comment\na@b.example  OK now\n  and "
	      "more\n\n.c.example\tno\n",
		DICT_FILE_TEXT);
	CHECK_STR(value("a@b.example"), "OK now");
	CHECK_STR(value(".c.example"), "no");
	CHECK_STR(value("and"), "-");
	CHECK_STR(value("#"), "-");
	end();
}

TEST(a_file_that_is_being_written_is_an_error)
{
	int fd = open(test_file("dict", "a\n"), O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && flock(fd, LOCK_EX) == 0);
	CHECK_INT(open_at(test_path("dict")), LOOKUP_ERROR);
	CHECK(strstr(err.detail, "is being written") != NULL);
	close(fd);
	CHECK_INT(open_at(test_path("dict")), LOOKUP_FOUND);
}
