/* seenfile - marks in a file of the user's own
 *
 *   "doorstep-seen 1\n"
 *   32 bytes key, 8 bytes when it expires (the highest first), for each mark
 *   SHA-256 of all that stands before it
 *
 * Never changed: a new one is written as PATH.new and renamed.  Whoever has that
 * file open, locked (flock) and under its name is the one who may; the lock ends
 * with its process, whatever ends that.  Readers need no lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_SEENFILE_H
#define DELIVER_SEENFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "deliver/deliver.h"

enum {
	/* Beyond them those go first that expire first. */
	SEENFILE_MARKS_MAX = 10000
};

/* A file that is broken has no marks; the log says so.  NONE also when there is
 * none. */
MUST_USE enum lookup seenfile_find(const char *path,
	const unsigned char key[SEEN_KEY], uint64_t now_s, struct err *err);

/* Adds or changes marks, and forgets those that expire at `now_s` or before.  On
 * an err the file is as it was.  Waits for `timeout_ms` at most. */
MUST_USE int seenfile_keep(const char *path, const struct seen_mark *marks,
	size_t count, uint64_t now_s, uint64_t timeout_ms, struct err *err);

/* The same for one mark that nobody may have kept.  NONE: somebody has, and the file
 * is as it was. */
MUST_USE enum lookup seenfile_claim(const char *path,
	const struct seen_mark *mark, uint64_t now_s, uint64_t timeout_ms,
	struct err *err);

#endif
