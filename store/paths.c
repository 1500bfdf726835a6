/* SPDX-License-Identifier: MIT */
#include "store/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "store/failure.h"

#include "base/banned.h"

enum { FIRST_SIZE = 8 };

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

	if (paths->count > 1)
		qsort(paths->path, paths->count, sizeof(*paths->path), compare);
	for (i = 0; i < paths->count; i++)
		if ((i == 0 ||
			    strcmp(paths->path[i], paths->path[i - 1]) != 0) &&
			flush(paths->path[i], err) < 0)
			return -1;
	return 0;
}

struct str
paths_parent(struct str path)
{
	size_t slash = str_find_last_char(path, '/');

	if (slash == 0 || slash == path.len)
		return STR("/");
	return str_slice(path, 0, slash);
}
