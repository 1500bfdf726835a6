/* SPDX-License-Identifier: MIT */
#include "dict/maps.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/banned.h"

struct map {
	struct str bytes;
	const char *path;
	bool is_big_endian;
	size_t page_bytes;
	map_take *take;
	void *taker;
	struct err *err;
};

static int
fail(const struct map *map, const char *what)
{
	return err_temp(map->err, "4.3.0", "%s %s", map->path, what);
}

static uint32_t
octet(const struct map *map, size_t at)
{
	return (unsigned char)map->bytes.data[at];
}

static uint32_t
number16(const struct map *map, size_t at)
{
	return map->is_big_endian ? octet(map, at) << 8 | octet(map, at + 1)
	                          : octet(map, at + 1) << 8 | octet(map, at);
}

static uint32_t
number32(const struct map *map, size_t at)
{
	return map->is_big_endian
	               ? number16(map, at) << 16 | number16(map, at + 2)
	               : number16(map, at + 2) << 16 | number16(map, at);
}

static struct str
without_zero(struct str s)
{
	return s.len > 0 && s.data[s.len - 1] == '\0'
	               ? str_slice(s, 0, s.len - 1)
	               : s;
}

/* No map that Postfix reads has an empty key. */
static void
give(const struct map *map, struct str key, struct str value)
{
	key = without_zero(key);
	if (key.len > 0)
		map->take(map->taker, key, without_zero(value));
}

/* ---- Berkeley DB ---- */

/* The first page says what the file is; each page has a header, the places of its
 * items, and from its end downwards the items, keys and values by turns. */
enum {
	BTREE_MAGIC = 0x053162,
	HASH_MAGIC = 0x061561,
	MAGIC_AT = 12,
	PAGE_BYTES_AT = 20,
	ENCRYPTION_AT = 24,
	FLAGS_AT = 26, /* checksums: pages have a longer header */
	META_BYTES = 72,
	LEAST_PAGE = 512,
	MOST_PAGE = 65536,

	COUNT_AT = 20, /* of items, in each page */
	KIND_AT = 25,
	HEADER_BYTES = 26,
	PAGE_HASH_UNSORTED = 2,
	PAGE_BTREE_LEAF = 5,
	PAGE_HASH = 13,

	ITEM_IN_PAGE = 1, /* the same number for both kinds of page */
	BTREE_DELETED = 0x80,
	BTREE_HEADER = 3, /* length, kind */
	HASH_HEADER = 1   /* kind */
};

static int
read_meta(struct map *map)
{
	uint32_t magic;

	if (map->bytes.len < META_BYTES)
		return fail(map, "is no Berkeley DB file: it is too short");
	for (map->is_big_endian = false;; map->is_big_endian = true) {
		magic = number32(map, MAGIC_AT);
		if (magic == BTREE_MAGIC || magic == HASH_MAGIC)
			break;
		if (map->is_big_endian)
			return fail(map, "is no hash or btree of Berkeley DB");
	}
	map->page_bytes = number32(map, PAGE_BYTES_AT);
	if (map->page_bytes < LEAST_PAGE || map->page_bytes > MOST_PAGE ||
		(map->page_bytes & (map->page_bytes - 1)) != 0)
		return fail(map, "is broken: its pages have no good size");
	if (octet(map, ENCRYPTION_AT) != 0 || octet(map, FLAGS_AT) != 0)
		return fail(map, "has checksums, is encrypted or is one of "
				 "several: that is not read here");
	if (map->bytes.len % map->page_bytes != 0)
		return fail(map, "is broken: it ends within a page");
	return 0;
}

/* The item at place `i` of the page that begins at `page`. */
struct item {
	uint32_t kind;
	bool is_deleted;
	struct str text;
};

static int
read_btree_item(const struct map *map, size_t page, size_t i, struct item *item)
{
	size_t at = number16(map, page + HEADER_BYTES + 2 * i), len;

	if (at < HEADER_BYTES || at + BTREE_HEADER > map->page_bytes)
		return -1;
	len = number16(map, page + at);
	item->kind = octet(map, page + at + 2);
	item->is_deleted = (item->kind & BTREE_DELETED) != 0;
	item->kind &= ~(uint32_t)BTREE_DELETED;
	if (item->kind != ITEM_IN_PAGE)
		return 0;
	if (at + BTREE_HEADER + len > map->page_bytes)
		return -1;
	item->text = str_slice(map->bytes, page + at + BTREE_HEADER,
		page + at + BTREE_HEADER + len);
	return 0;
}

/* Its end is where the item before it begins. */
static int
read_hash_item(const struct map *map, size_t page, size_t i, struct item *item)
{
	size_t at = number16(map, page + HEADER_BYTES + 2 * i);
	size_t end = i == 0 ? map->page_bytes
	                    : number16(map, page + HEADER_BYTES + 2 * (i - 1));

	if (at < HEADER_BYTES || at + HASH_HEADER > end ||
		end > map->page_bytes)
		return -1;
	item->kind = octet(map, page + at);
	item->is_deleted = false;
	item->text = str_slice(map->bytes, page + at + HASH_HEADER, page + end);
	return 0;
}

static int
read_item(const struct map *map, size_t page, size_t i, struct item *item)
{
	item->text = STR_EMPTY;
	return octet(map, page + KIND_AT) == PAGE_BTREE_LEAF
	               ? read_btree_item(map, page, i, item)
	               : read_hash_item(map, page, i, item);
}

static bool
has_entries(const struct map *map, size_t page)
{
	uint32_t kind = octet(map, page + KIND_AT);

	return kind == PAGE_BTREE_LEAF || kind == PAGE_HASH ||
	       kind == PAGE_HASH_UNSORTED;
}

static int
read_page(const struct map *map, size_t page)
{
	size_t count = number16(map, page + COUNT_AT), i;
	struct item key, value;

	if (count % 2 != 0 || HEADER_BYTES + 2 * count > map->page_bytes)
		return fail(map, "is broken: a page has too many items");
	for (i = 0; i < count; i += 2) {
		if (read_item(map, page, i, &key) < 0 ||
			read_item(map, page, i + 1, &value) < 0)
			return fail(map, "is broken: an item is beyond its "
					 "page");
		if (key.kind != ITEM_IN_PAGE)
			return fail(map, "has a key that is longer than its "
					 "pages allow: that is not read here");
		if (!key.is_deleted && !value.is_deleted)
			give(map, key.text,
				value.kind == ITEM_IN_PAGE ? value.text
							   : STR_EMPTY);
	}
	return 0;
}

int
map_read_berkeley(struct str bytes, const char *path, map_take *take,
	void *taker, struct err *err)
{
	struct map map = {.bytes = bytes,
		.path = path,
		.take = take,
		.taker = taker,
		.err = err};
	size_t page;

	if (read_meta(&map) < 0)
		return -1;
	for (page = map.page_bytes; page < bytes.len; page += map.page_bytes)
		if (has_entries(&map, page) && read_page(&map, page) < 0)
			return -1;
	return 0;
}

/* ---- cdb ---- */

/* 256 pairs of place and length of a table; records of two lengths, key and value;
 * the tables, which begin where the records end. */
enum { CDB_TABLES = 256, CDB_PAIR = 8, CDB_HEAD = CDB_TABLES * CDB_PAIR };

static size_t
end_of_records(const struct map *map)
{
	size_t end = map->bytes.len, i;

	for (i = 0; i < CDB_TABLES; i++) {
		size_t at = number32(map, i * CDB_PAIR);

		if (at < end)
			end = at;
	}
	return end;
}

int
map_read_cdb(struct str bytes, const char *path, map_take *take, void *taker,
	struct err *err)
{
	struct map map = {.bytes = bytes,
		.path = path,
		.take = take,
		.taker = taker,
		.err = err};
	size_t at = CDB_HEAD, end;

	if (bytes.len < CDB_HEAD || (end = end_of_records(&map)) < CDB_HEAD)
		return fail(&map, "is no cdb file");
	while (at < end) {
		size_t key, value;

		if (end - at < CDB_PAIR)
			return fail(&map, "is broken: a record is not whole");
		key = number32(&map, at);
		value = number32(&map, at + 4);
		at += CDB_PAIR;
		if (key > end - at || value > end - at - key)
			return fail(&map, "is broken: a record is not whole");
		give(&map, str_slice(bytes, at, at + key),
			str_slice(bytes, at + key, at + key + value));
		at += key + value;
	}
	return 0;
}

/* ---- texthash ---- */

static bool
goes_on(struct str line)
{
	return line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

void
map_read_text(struct str bytes, map_take *take, void *taker)
{
	struct map map = {.take = take, .taker = taker};
	struct str line, key;

	while (str_next_field(&bytes, '\n', &line)) {
		if (goes_on(line) || str_starts(line, STR("#")) ||
			!str_next_word(&line, &key))
			continue;
		give(&map, key, str_trim(line));
	}
}
