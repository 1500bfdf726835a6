/* maildir_target - a copy that another process meant to file
 *
 *   ROOT/.Lists/new/STEM,S=1,W=2       as it was meant
 *   ROOT/.Lists/cur/STEM,S=1,W=2:2,FS  where a reader may have moved it since
 *
 * The text comes from a memory that another process keeps, so it is believed only
 * as far as it names a file in new/ or cur/ of a folder below this root.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MAILDIR_TARGET_H
#define STORE_MAILDIR_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "store/location.h"

/* Whether it can be one of this location's. */
bool maildir_target_is_below(
	const struct location *location, const char *target);

/* Where it is now; lives in the arena.  LOOKUP_NONE: it has not got its name, or
 * is not in its folder any more.  Errors: 4.3.0. */
enum lookup maildir_target_find(struct arena *arena, const char *target,
	const char **path_out, struct err *err) MUST_USE;

/* Whether it is in the folder at `folder`. */
bool maildir_target_is_in(const char *target, const char *folder);

/* Flushes the folders above `path` up to that above the root: whoever made them
 * may have died before it did so. */
MUST_USE int maildir_target_flush(struct arena *arena,
	const struct location *location, const char *path, struct err *err);

/* Takes it away unless a reader has it already. */
void maildir_target_remove(const char *path);

#endif
