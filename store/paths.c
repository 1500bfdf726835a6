/* SPDX-License-Identifier: MIT */
#include "store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/memory.h"
#include "store/failure.h"

#include "base/banned.h"

enum { FIRST_SIZE = 8, OPEN_AT_A_TIME = 64 };

void
paths_init(struct paths *paths, struct arena *arena)
{
	*paths = (struct paths){.arena = arena};
}

void
paths_add(struct paths *paths, struct str path)
{
	if (paths->count == paths->size) {
		paths->size = paths->size == 0 ? FIRST_SIZE : paths->size * 2;
		paths->path = arena_grow(paths->arena, paths->path,
			sizeof(*paths->path), paths->count, paths->size);
	}
	paths->path[paths->count++] = arena_text(paths->arena, path);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
sort_and_unite(struct paths *paths)
{
	size_t count = 0, i;

	if (paths->count > 1)
		qsort(paths->path, paths->count, sizeof(*paths->path), compare);
	for (i = 0; i < paths->count; i++)
		if (i == 0 ||
			strcmp(paths->path[i], paths->path[count - 1]) != 0)
			paths->path[count++] = paths->path[i];
	paths->count = count;
}

static int
flush(const char *path, struct err *err)
{
	/* Some network file systems have no fsync for folders. */
	if (fd_sync_folder(path) < 0 && errno != EINVAL)
		return failure(err, "fsync", path);
	return 0;
}

int
paths_flush(struct paths *paths, struct err *err)
{
	size_t i;

	sort_and_unite(paths);
	for (i = 0; i < paths->count; i++)
		if (flush(paths->path[i], err) < 0)
			return -1;
	return 0;
}

/* What cannot be opened keeps its errno. */
static void
flush_some(const char *const *paths, int *errors, size_t count,
	struct flush_crew *crew)
{
	int fds[OPEN_AT_A_TIME], results[OPEN_AT_A_TIME];
	size_t places[OPEN_AT_A_TIME], opened = 0, i;

	for (i = 0; i < count; i++) {
		int fd = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		errors[i] = fd < 0 ? errno : 0;
		if (fd < 0)
			continue;
		places[opened] = i;
		fds[opened++] = fd;
	}
	flush_files(crew, fds, results, opened);
	for (i = 0; i < opened; i++) {
		errors[places[i]] = results[i] == EINVAL ? 0 : results[i];
		fd_close(&fds[i]);
	}
}

struct paths_flushed
paths_flush_together(struct paths *paths, struct flush_crew *crew)
{
	struct paths_flushed flushed = {.paths = paths};
	size_t i, part;

	sort_and_unite(paths);
	flushed.errors = ARENA_ARRAY(paths->arena, int, paths->count);
	for (i = 0; i < paths->count; i += part) {
		part = paths->count - i;
		if (part > OPEN_AT_A_TIME)
			part = OPEN_AT_A_TIME;
		flush_some(paths->path + i, flushed.errors + i, part, crew);
	}
	return flushed;
}

int
paths_flush_error(const struct paths_flushed *flushed, const char *path)
{
	const struct paths *paths = flushed->paths;
	const char **found = bsearch(&path, paths->path, paths->count,
		sizeof(*paths->path), compare);

	if (found == NULL)
		BUG("%s was not among those to be flushed", path);
	return flushed->errors[found - paths->path];
}

struct str
paths_parent(struct str path)
{
	size_t slash = str_find_last_char(path, '/');

	if (slash == 0 || slash == path.len)
		return STR("/");
	return str_slice(path, 0, slash);
}
