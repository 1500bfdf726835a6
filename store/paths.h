/* paths - a set of paths, for doing something once for each
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_PATHS_H
#define STORE_PATHS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/flush.h"
#include "base/str.h"

struct paths {
	struct arena *arena; /* copies of the texts live there */
	const char **path;
	size_t count, size;
};

void paths_init(struct paths *paths, struct arena *arena);
void paths_add(struct paths *paths, struct str path);

/* fsyncs each folder once.  Errors: as failure(). */
MUST_USE int paths_flush(struct paths *paths, struct err *err);

/* The same at one time.  Afterwards paths_flush_error() is 0 or the errno of each. */
struct paths_flushed {
	struct paths *paths; /* each once */
	int *errors;
};
struct paths_flushed paths_flush_together(
	struct paths *paths, struct flush_crew *crew);
int paths_flush_error(const struct paths_flushed *flushed, const char *path);

/* What stands before the last "/". */
struct str paths_parent(struct str path);

#endif
