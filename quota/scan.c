/* SPDX-License-Identifier: MIT */
#include "quota/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/filestate.h"
#include "base/log.h"
#include "base/number.h"

#include "base/banned.h"

#define CACHE_NAME "doorstep-usage"
#define CACHE_HEAD "doorstep-usage 1\n"

enum { CACHE_MAX = 16 * 1024 * 1024 };

static bool
is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec ||
	       (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/* The epoch for a part that is not there. */
static struct timespec
change_of(const struct store_part *part)
{
	struct stat found;

	if (stat(part->path, &found) < 0)
		return (struct timespec){0, 0};
	return found.st_mtim;
}

int
quota_scan(
	struct quota_root *root, struct quota_scan *scan_out, struct err *err)
{
	size_t i;

	*scan_out = (struct quota_scan){.newest = {0, 0}};
	if (store_list_parts(root->store, root->prefix, &scan_out->parts, err) <
		0)
		return -1;
	for (i = 0; i < scan_out->parts.count; i++) {
		const struct store_part *part = &scan_out->parts.items[i];
		struct timespec change = change_of(part);
		struct store_use use;

		if (is_later(change, scan_out->newest))
			scan_out->newest = change;
		if (quota_root_ignores(root, part->folder))
			continue;
		if (store_measure(part, &use, err) < 0)
			return -1;
		scan_out->use = quota_sum(scan_out->use,
			(struct quota_amount){use.bytes, use.messages});
	}
	return 0;
}

bool
quota_scan_is_true(const struct quota_scan *scan)
{
	size_t i;

	for (i = 0; i < scan->parts.count; i++)
		if (is_later(change_of(&scan->parts.items[i]), scan->newest))
			return false;
	return true;
}

/* ---- what was seen before ---- */

/* A line of the file:
 *   INODE SIZE SECONDS NANOSECONDS BYTES MESSAGES PATH LF
 * The time is that of the last change of anything, which nobody can set back. */
struct cached {
	uint64_t numbers[6];
	struct str path;
	bool is_used;
};

enum { INODE, SIZE, SECONDS, NANOSECONDS, BYTES, MESSAGES, NUMBERS };

struct cache {
	struct arena *arena;
	const char *path; /* NULL: there is no place for it */
	struct cached *items;
	size_t count;
	struct buf text; /* of the new one */
	bool has_changed;
};

static bool
read_line(struct str line, struct cached *item)
{
	struct str field;
	size_t i;

	for (i = 0; i < NUMBERS; i++)
		if (!str_next_field(&line, ' ', &field) ||
			number_parse(field, &item->numbers[i]) < 0)
			return false;
	item->path = line;
	return line.len > 0;
}

/* Whatever is wrong with it, it is only a memory. */
static void
read_cache(struct cache *cache)
{
	struct str rest, line;
	struct buf bytes;
	size_t size = 0;

	buf_init(&bytes, CACHE_MAX);
	if (cache->path == NULL || fd_read_file(cache->path, &bytes) < 0 ||
		!str_starts(buf_view(&bytes), STR(CACHE_HEAD))) {
		buf_clear(&bytes);
		return;
	}
	rest = str_skip(
		arena_copy(cache->arena, buf_view(&bytes)), strlen(CACHE_HEAD));
	buf_clear(&bytes);
	while (str_next_field(&rest, '\n', &line)) {
		struct cached item = {.is_used = false};

		if (!read_line(line, &item))
			continue;
		if (cache->count == size) {
			size = size > 0 ? size * 2 : 64;
			cache->items = arena_grow(cache->arena, cache->items,
				sizeof(*cache->items), cache->count, size);
		}
		cache->items[cache->count++] = item;
	}
}

/* The order is nearly always the same as the last time. */
static struct cached *
find_cached(struct cache *cache, const char *path, size_t guess)
{
	size_t i;

	for (i = 0; i < cache->count; i++) {
		struct cached *item = &cache->items[(guess + i) % cache->count];

		if (str_is(item->path, path))
			return item;
	}
	return NULL;
}

static bool
is_current(const struct cached *item, const struct file_state *state)
{
	return item->numbers[INODE] == (uint64_t)state->inode &&
	       item->numbers[SIZE] == (uint64_t)state->size &&
	       item->numbers[SECONDS] == (uint64_t)state->changed.tv_sec &&
	       item->numbers[NANOSECONDS] == (uint64_t)state->changed.tv_nsec;
}

static void
keep_part(struct cache *cache, const char *path, const struct file_state *state,
	const struct store_use *use)
{
	buf_add_format(&cache->text, "%llu %llu %llu %llu %llu %llu %s\n",
		(unsigned long long)state->inode,
		(unsigned long long)state->size,
		(unsigned long long)state->changed.tv_sec,
		(unsigned long long)state->changed.tv_nsec,
		(unsigned long long)use->bytes,
		(unsigned long long)use->messages, path);
}

/* The state is taken before the look: what changes meanwhile is seen the next
 * time. */
static int
measure(struct cache *cache, const struct store_part *part, size_t guess,
	struct store_use *use_out, struct err *err)
{
	struct cached *item = find_cached(cache, part->path, guess);
	struct file_state state;
	struct stat found;

	*use_out = (struct store_use){0, 0};
	if (stat(part->path, &found) < 0)
		return 0;
	state = file_state_of(&found);
	if (item != NULL && is_current(item, &state)) {
		item->is_used = true;
		*use_out = (struct store_use){
			item->numbers[BYTES], item->numbers[MESSAGES]};
	} else if (store_measure(part, use_out, err) < 0) {
		return -1;
	} else if (file_state_is_in_doubt(&state)) {
		return 0;
	} else {
		cache->has_changed = true;
	}
	keep_part(cache, part->path, &state, use_out);
	return 0;
}

static void
write_cache(struct cache *cache)
{
	const char *temporary;
	int fd;

	if (!cache->has_changed || cache->path == NULL ||
		cache->text.overflowed)
		return;
	temporary = arena_format(
		cache->arena, "%s.%ld", cache->path, (long)clock_pid());
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (fd_write(fd, buf_view(&cache->text)) < 0 ||
		rename(temporary, cache->path) < 0)
		(void)unlink(temporary);
	fd_close(&fd);
}

static int
sum_parts(struct quota_root *root, struct cache *cache,
	struct quota_amount *use_out, struct err *err)
{
	struct store_parts parts;
	size_t i;

	*use_out = (struct quota_amount){0, 0};
	if (store_list_parts(root->store, root->prefix, &parts, err) < 0)
		return -1;
	for (i = 0; i < parts.count; i++) {
		struct store_use use;

		if (measure(cache, &parts.items[i], i, &use, err) < 0)
			return -1;
		if (!quota_root_ignores(root, parts.items[i].folder))
			*use_out = quota_sum(*use_out,
				(struct quota_amount){use.bytes, use.messages});
	}
	return 0;
}

int
quota_scan_cached(
	struct quota_root *root, struct quota_amount *use_out, struct err *err)
{
	struct cache cache = {.arena = arena_open()};
	int result = -1;

	buf_init(&cache.text, CACHE_MAX);
	buf_add_text(&cache.text, CACHE_HEAD);
	if (store_control_file(root->store, CACHE_NAME, false, &cache.path,
		    err) != LOOKUP_ERROR) {
		read_cache(&cache);
		result = sum_parts(root, &cache, use_out, err);
		if (result == 0)
			write_cache(&cache);
	}
	buf_clear(&cache.text);
	arena_close(&cache.arena);
	return result;
}

void
quota_scan_forget(struct quota_root *root)
{
	const char *path = NULL;
	struct err err;

	if (store_control_file(root->store, CACHE_NAME, false, &path, &err) ==
			LOOKUP_FOUND &&
		unlink(path) < 0 && errno != ENOENT)
		log_warning("cannot remove %s: %s", path, strerror(errno));
}
