/* SPDX-License-Identifier: MIT */
#include "userdb/passwd_index.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/filestate.h"
#include "base/memory.h"

#include "base/banned.h"

enum { FIRST_LINES = 16 };

struct line {
	const char *text; /* NUL behind it */
	uint32_t len;
	uint32_t key_len;
	uint32_t hash;
	bool is_cut;
	unsigned long number;
};

struct passwd_index {
	struct arena *arena; /* of the texts */
	const char *path;
	struct file_state state;
	struct passwd_end end;
	struct line *lines;
	size_t count, size;
	/* Numbers of lines, from 1; 0 = free.  Twice as many as there can be
	 * lines, a power of two. */
	uint32_t *table;
	size_t bytes;
	bool is_too_large; /* to be scanned as long as the file is the same */
	uint64_t last_used;
};

struct passwd_indexes {
	struct passwd_index **items;
	size_t count, bytes;
	size_t most_files, most_bytes;
	uint64_t uses;
};

/* ---- one file ---- */

void
passwd_end_move(struct passwd_end *end, const struct passwd_lines *lines,
	struct str line)
{
	end->lines = lines->line;
	end->is_cut_off = lines->is_partial && !str_has_char(line, ':');
}

const struct passwd_end *
passwd_index_end(const struct passwd_index *index)
{
	return &index->end;
}

/* Up to the first ":" without a backslash before it. */
static struct str
key_of(struct str line)
{
	size_t i;

	for (i = 0; i < line.len && line.data[i] != ':'; i++)
		if (line.data[i] == '\\')
			i++;
	return str_slice(line, 0, i);
}

static size_t
table_size(const struct passwd_index *index)
{
	return index->size * 2;
}

/* The place of the key, or the free one where it would be. */
static uint32_t *
place_of(const struct passwd_index *index, struct str key, uint32_t hash)
{
	size_t mask = table_size(index) - 1, at = hash & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t number = index->table[at];
		const struct line *line;

		if (number == 0)
			break;
		line = &index->lines[number - 1];
		if (line->hash == hash &&
			str_equal(str_of(line->text, line->key_len), key))
			break;
	}
	return &index->table[at];
}

static void
grow(struct passwd_index *index)
{
	size_t i;

	index->size = index->size > 0 ? index->size * 2 : FIRST_LINES;
	index->lines = memory_resize(index->lines,
		memory_product(index->size, sizeof(*index->lines)));
	memory_free(index->table);
	index->table = memory_get(
		memory_product(table_size(index), sizeof(*index->table)));
	for (i = 0; i < index->count; i++) {
		const struct line *line = &index->lines[i];

		*place_of(index, str_of(line->text, line->key_len),
			line->hash) = (uint32_t)i + 1;
	}
}

static size_t
bytes_of(const struct passwd_index *index)
{
	return sizeof(*index) + arena_used(index->arena) +
	       index->size * sizeof(*index->lines) +
	       table_size(index) * sizeof(*index->table);
}

/* Nobody can ask for a comment or for an empty name.  Of a line that is too long
 * nobody wants more than the name. */
static void
add_line(struct passwd_index *index, const struct passwd_lines *lines,
	struct str line)
{
	struct str key = key_of(line);
	uint32_t hash, *place;

	if (key.len == 0 || key.data[0] == '#')
		return;
	if (index->count == index->size)
		grow(index);
	hash = str_hash(STR_HASH, key);
	place = place_of(index, key, hash);
	if (*place != 0)
		return;
	if (lines->is_cut)
		line = key;
	index->lines[index->count++] =
		(struct line){.text = arena_copy(index->arena, line).data,
			.len = (uint32_t)line.len,
			.key_len = (uint32_t)key.len,
			.hash = hash,
			.is_cut = lines->is_cut,
			.number = lines->line};
	*place = (uint32_t)index->count;
}

static struct passwd_index *
index_open(const char *path)
{
	struct passwd_index *index = memory_get(sizeof(*index));

	index->arena = arena_open();
	index->path = arena_text(index->arena, str_from(path));
	grow(index);
	return index;
}

static void
index_empty(struct passwd_index *index)
{
	arena_close(&index->arena);
	memory_free(index->lines);
	memory_free(index->table);
	index->lines = NULL;
	index->table = NULL;
}

static void
index_close(struct passwd_index *index)
{
	index_empty(index);
	memory_free(index);
}

/* False when the file cannot be read to its end. */
static bool
read_lines(struct passwd_index *index, int fd, size_t most_bytes)
{
	struct passwd_lines lines;
	struct str line;
	enum lookup found;

	passwd_lines_init(&lines, fd);
	while ((found = passwd_lines_next(&lines, &line)) == LOOKUP_FOUND) {
		passwd_end_move(&index->end, &lines, line);
		add_line(index, &lines, line);
		if (bytes_of(index) > most_bytes) {
			index->is_too_large = true;
			return true;
		}
	}
	return found == LOOKUP_NONE;
}

bool
passwd_index_find(const struct passwd_index *index, struct str key,
	struct passwd_line *line_out)
{
	uint32_t number = *place_of(index, key, str_hash(STR_HASH, key));
	const struct line *line;

	if (number == 0)
		return false;
	line = &index->lines[number - 1];
	*line_out = (struct passwd_line){
		.rest = str_skip(
			str_of(line->text, line->len), line->key_len + 1U),
		.number = line->number,
		.is_cut = line->is_cut};
	return true;
}

/* ---- all of them ---- */

struct passwd_indexes *
passwd_indexes_open(void)
{
	struct passwd_indexes *indexes = memory_get(sizeof(*indexes));

	passwd_indexes_limit(indexes, PASSWD_INDEX_FILES, PASSWD_INDEX_BYTES);
	return indexes;
}

static void
drop(struct passwd_indexes *indexes, size_t at)
{
	struct passwd_index *index = indexes->items[at];

	indexes->bytes -= index->bytes;
	indexes->items[at] = indexes->items[--indexes->count];
	index_close(index);
}

void
passwd_indexes_limit(struct passwd_indexes *indexes, size_t files, size_t bytes)
{
	while (indexes->count > 0)
		drop(indexes, 0);
	indexes->most_files = files;
	indexes->most_bytes = bytes;
	indexes->items = memory_resize(indexes->items,
		memory_product(files + 1, sizeof(struct passwd_index *)));
}

void
passwd_indexes_close(struct passwd_indexes **indexes)
{
	if (*indexes == NULL)
		return;
	while ((*indexes)->count > 0)
		drop(*indexes, 0);
	memory_free((*indexes)->items);
	memory_free(*indexes);
	*indexes = NULL;
}

size_t
passwd_indexes_count(const struct passwd_indexes *indexes)
{
	return indexes->count;
}

size_t
passwd_indexes_bytes(const struct passwd_indexes *indexes)
{
	return indexes->bytes;
}

static void
drop_oldest(struct passwd_indexes *indexes)
{
	size_t oldest = 0, i;

	for (i = 1; i < indexes->count; i++)
		if (indexes->items[i]->last_used <
			indexes->items[oldest]->last_used)
			oldest = i;
	drop(indexes, oldest);
}

static void
keep_take(struct passwd_indexes *indexes, struct passwd_index *index)
{
	/* That it is too large is all that has to be remembered of it. */
	if (index->is_too_large) {
		const char *path = index->path;
		struct arena *arena = arena_open();

		index->path = arena_text(arena, str_from(path));
		index_empty(index);
		index->arena = arena;
		index->size = index->count = 0;
	}
	index->bytes = bytes_of(index);
	while (indexes->count > 0 &&
		(indexes->count >= indexes->most_files ||
			indexes->bytes + index->bytes > indexes->most_bytes))
		drop_oldest(indexes);
	indexes->items[indexes->count++] = index;
	indexes->bytes += index->bytes;
}

/* The one of this path, as the file is now; an older one goes. */
static struct passwd_index *
find_known(struct passwd_indexes *indexes, const char *path,
	const struct file_state *state)
{
	size_t i;

	for (i = 0; i < indexes->count; i++) {
		struct passwd_index *index = indexes->items[i];

		if (strcmp(index->path, path) != 0)
			continue;
		if (file_state_is_same(&index->state, state))
			return index;
		drop(indexes, i);
		break;
	}
	return NULL;
}

static bool
is_state_of(const struct file_state *state, int fd)
{
	struct file_state now;
	struct stat status;

	if (fstat(fd, &status) < 0)
		return false;
	now = file_state_of(&status);
	return file_state_is_same(state, &now);
}

/* NULL when the file did not stay in this state while it was read. */
static struct passwd_index *
read_index(struct passwd_indexes *indexes, const char *path,
	const struct file_state *state)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct passwd_index *index;
	bool is_good;

	if (fd < 0)
		return NULL;
	index = index_open(path);
	index->state = *state;
	is_good = is_state_of(state, fd) &&
	          read_lines(index, fd, indexes->most_bytes) &&
	          is_state_of(state, fd);
	fd_close(&fd);
	if (is_good)
		return index;
	index_close(index);
	return NULL;
}

const struct passwd_index *
passwd_indexes_get(struct passwd_indexes *indexes, const char *path)
{
	struct passwd_index *index;
	struct file_state state;
	struct stat status;

	if (indexes->most_files == 0 || stat(path, &status) < 0)
		return NULL;
	state = file_state_of(&status);
	index = find_known(indexes, path, &state);
	if (index == NULL) {
		if (!S_ISREG(status.st_mode) || file_state_is_in_doubt(&state))
			return NULL;
		index = read_index(indexes, path, &state);
		if (index == NULL)
			return NULL;
		keep_take(indexes, index);
	}
	index->last_used = ++indexes->uses;
	return index->is_too_large ? NULL : index;
}
