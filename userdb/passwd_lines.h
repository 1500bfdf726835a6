/* passwd_lines - the lines of a passwd-file, one after the other
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USERDB_PASSWD_LINES_H
#define USERDB_PASSWD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

/* The longest line, and what is read at a time. */
enum { PASSWD_LINE_MAX = 64 * 1024 };

struct passwd_lines {
	int fd;            /* the caller's */
	size_t start, end; /* of the bytes that are not yet given out */
	unsigned long line;
	bool is_at_end;   /* of the file */
	bool is_skipping; /* the rest of a line that was too long */
	bool is_cut;      /* the line given out is too long */
	bool is_partial;  /* the line given out has no line end */
	char bytes[PASSWD_LINE_MAX];
};

void passwd_lines_init(struct passwd_lines *lines, int fd);

/* Without its line end; until the next call.  A line that is too long is given
 * out once, its beginning only.  LOOKUP_ERROR with errno. */
enum lookup passwd_lines_next(
	struct passwd_lines *lines, struct str *line_out) MUST_USE;

#endif
