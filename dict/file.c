/* SPDX-License-Identifier: MIT */
#include "dict/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/memory.h"
#include "dict/driver.h"
#include "dict/maps.h"

#include "base/banned.h"

struct line {
	struct str key, value;
	size_t number; /* of the key's line: the later one counts */
};

struct file_dict {
	struct dict dict;
	struct arena *arena;
	struct line *lines; /* in the order of the keys, each once */
	size_t count, size;
};

static struct file_dict *
own(struct dict *dict)
{
	return CONTAINER_OF(dict, struct file_dict, dict);
}

/* ---- reading ---- */

static struct str
without_cr(struct str line)
{
	return str_ends(line, STR("\r")) ? str_slice(line, 0, line.len - 1)
	                                 : line;
}

static void
add_line(struct file_dict *file, struct str key, struct str value)
{
	if (file->count == file->size) {
		size_t size = file->size > 0 ? file->size * 2 : 64;

		file->lines = arena_grow(file->arena, file->lines,
			sizeof(*file->lines), file->count, size);
		file->size = size;
	}
	file->lines[file->count] = (struct line){key, value, file->count};
	file->count++;
}

/* A key without a value has not been written to its end. */
static void
read_pairs(struct file_dict *file, struct str text)
{
	struct str key, value;

	while (str_next_field(&text, '\n', &key) &&
		str_next_field(&text, '\n', &value))
		add_line(file, without_cr(key), without_cr(value));
}

static void
read_lines(struct file_dict *file, struct str text)
{
	struct str line;

	while (str_next_field(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.len > 0 && line.data[0] != '#')
			add_line(file, line, STR_EMPTY);
	}
}

static void
take_entry(void *taker, struct str key, struct str value)
{
	add_line(taker, key, value);
}

static int
compare_lines(const void *a, const void *b)
{
	const struct line *left = a, *right = b;
	int order = str_compare(left->key, right->key);

	if (order != 0)
		return order;
	return (left->number > right->number) - (left->number < right->number);
}

static void
sort(struct file_dict *file)
{
	size_t kept = 0, i;

	if (file->count == 0)
		return;
	qsort(file->lines, file->count, sizeof(*file->lines), compare_lines);
	for (i = 0; i < file->count; i++)
		if (i + 1 == file->count ||
			!str_equal(file->lines[i].key, file->lines[i + 1].key))
			file->lines[kept++] = file->lines[i];
	file->count = kept;
}

/* A FIFO or a device would hold up the mail. */
static enum lookup
open_regular(const char *path, int *fd_out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	if (fd < 0 || fstat(fd, &status) < 0) {
		err_temp_errno(err, "4.3.0", "cannot open %s", path);
		fd_close(&fd);
		return LOOKUP_ERROR;
	}
	if (S_ISREG(status.st_mode)) {
		*fd_out = fd;
		return LOOKUP_FOUND;
	}
	fd_close(&fd);
	err_temp(err, "4.3.0", "%s is no file", path);
	return LOOKUP_ERROR;
}

static enum lookup
read_file(const char *path, struct buf *text, struct err *err)
{
	int fd = -1, result;
	enum lookup found = open_regular(path, &fd, err);

	if (found != LOOKUP_FOUND)
		return found;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		fd_close(&fd);
		err_temp(err, "4.3.0", "%s is being written", path);
		return LOOKUP_ERROR;
	}
	result = fd_read_rest(fd, text);
	if (result < 0 && errno == EFBIG)
		err_temp(err, "4.3.0", "%s is longer than %d bytes", path,
			DICT_FILE_MAX);
	else if (result < 0)
		err_temp_errno(err, "4.3.0", "cannot read %s", path);
	fd_close(&fd);
	return result < 0 ? LOOKUP_ERROR : LOOKUP_FOUND;
}

/* ---- the driver ---- */

/* The place of the first key that is not before `key`. */
static size_t
find_place(const struct file_dict *file, struct str key)
{
	size_t low = 0, high = file->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_compare(file->lines[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct file_dict *file, size_t place, struct str key)
{
	return place < file->count && str_equal(file->lines[place].key, key);
}

static struct dict_entry
entry_of(struct arena *arena, const struct line *line)
{
	return (struct dict_entry){.key = arena_copy(arena, line->key),
		.value = arena_copy(arena, line->value),
		.expires_s = UINT64_MAX};
}

static enum lookup
file_get(struct dict *dict, struct arena *arena, struct str key,
	struct dict_entry *entry_out, struct err *err UNUSED)
{
	const struct file_dict *file = own(dict);
	size_t place = find_place(file, key);

	if (!is_at(file, place, key))
		return LOOKUP_NONE;
	*entry_out = entry_of(arena, &file->lines[place]);
	return LOOKUP_FOUND;
}

static int
file_walk(struct dict *dict, struct arena *arena, struct str after, size_t most,
	struct dict_entry *entries, size_t *count_out, struct err *err UNUSED)
{
	const struct file_dict *file = own(dict);
	size_t place = find_place(file, after);

	if (is_at(file, place, after))
		place++;
	*count_out = 0;
	while (*count_out < most && place < file->count)
		entries[(*count_out)++] =
			entry_of(arena, &file->lines[place++]);
	return 0;
}

static int
file_begin(struct dict *dict UNUSED, struct err *err)
{
	return err_temp(err, "4.3.0", "a dict that is a file is not written");
}

static int
file_commit(struct dict *dict UNUSED, struct err *err)
{
	return file_begin(dict, err);
}

static void
file_abort(struct dict *dict UNUSED)
{
}

static int
file_put(struct dict *dict, const struct dict_entry *entry UNUSED,
	struct err *err)
{
	return file_begin(dict, err);
}

static int
file_remove(struct dict *dict, struct str key UNUSED, struct err *err)
{
	return file_begin(dict, err);
}

static void
file_close(struct dict *dict)
{
	struct file_dict *file = own(dict);

	arena_close(&file->arena);
	memory_free(file);
}

static const struct dict_driver file_driver = {
	.close = file_close,
	.begin = file_begin,
	.commit = file_commit,
	.abort = file_abort,
	.get = file_get,
	.put = file_put,
	.remove = file_remove,
	.walk = file_walk,
};

static int
take_all(struct file_dict *file, const char *path, struct str text,
	enum dict_file_kind kind, struct err *err)
{
	switch (kind) {
	case DICT_FILE_PAIRS:
		read_pairs(file, text);
		break;
	case DICT_FILE_LINES:
		read_lines(file, text);
		break;
	case DICT_FILE_BERKELEY:
		return map_read_berkeley(text, path, take_entry, file, err);
	case DICT_FILE_CDB:
		return map_read_cdb(text, path, take_entry, file, err);
	case DICT_FILE_TEXT:
		map_read_text(text, take_entry, file);
		break;
	}
	return 0;
}

static enum lookup
make(const char *path, struct str text, enum dict_file_kind kind,
	struct dict **dict_out, struct err *err)
{
	struct file_dict *file = memory_get(sizeof(*file));

	file->dict.driver = &file_driver;
	file->arena = arena_open();
	*dict_out = &file->dict;
	text = arena_copy(file->arena, text);
	if (take_all(file, path, text, kind, err) < 0) {
		dict_close(dict_out);
		return LOOKUP_ERROR;
	}
	sort(file);
	return LOOKUP_FOUND;
}

enum lookup
dict_open_file(const char *path, enum dict_file_kind kind,
	struct dict **dict_out, struct err *err)
{
	enum lookup found;
	struct buf text;

	*dict_out = NULL;
	buf_init(&text, DICT_FILE_MAX);
	found = read_file(path, &text, err);
	if (found == LOOKUP_FOUND)
		found = make(path, buf_view(&text), kind, dict_out, err);
	buf_clear(&text);
	return found;
}
