/* passwd_index - passwd-files that are looked into often
 *
 * The lines of a file in memory, found by the name in their user column as it is
 * spelled there.  Every use begins with a stat(): a file that is not as it was is
 * read anew, and one that changed a moment ago is left to be scanned, as a
 * further change could not be seen.  So are files that are too large.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USERDB_PASSWD_INDEX_H
#define USERDB_PASSWD_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "userdb/passwd_lines.h"

/* Of one database; PATH may stand for many files. */
enum {
	PASSWD_INDEX_FILES = 64,
	PASSWD_INDEX_BYTES = 128 * 1024 * 1024 /* of memory, about */
};

/* The line of a user. */
struct passwd_line {
	struct str rest; /* behind the user column */
	unsigned long number;
	bool is_cut; /* it is too long */
};

/* How a file ends. */
struct passwd_end {
	unsigned long lines;
	bool is_cut_off; /* in a user column */
};
/* After passwd_lines_next(). */
void passwd_end_move(struct passwd_end *end, const struct passwd_lines *lines,
	struct str line);

struct passwd_index;

/* The first line of that name; lives as long as the index. */
bool passwd_index_find(const struct passwd_index *index, struct str key,
	struct passwd_line *line_out);
const struct passwd_end *passwd_index_end(const struct passwd_index *index);

struct passwd_indexes;

struct passwd_indexes *passwd_indexes_open(void);
void passwd_indexes_close(struct passwd_indexes **indexes);

/* For other limits than the above. */
void passwd_indexes_limit(
	struct passwd_indexes *indexes, size_t files, size_t bytes);

/* Until the next call; NULL: the file is to be scanned, or cannot be read. */
const struct passwd_index *passwd_indexes_get(
	struct passwd_indexes *indexes, const char *path);

/* At present. */
size_t passwd_indexes_count(const struct passwd_indexes *indexes);
size_t passwd_indexes_bytes(const struct passwd_indexes *indexes);

#endif
