/* maildirsize - the file in which Maildir++ keeps the use
 *
 *   1073741824S,1000C        limits; "0S" or an empty line: none
 *   123456 42                what a count has found
 *   2048 1                   what was added since
 *   -2048 -1                 and taken away
 *
 * Dovecot, Courier, maildrop and Exim write to it at the same time.  So: a line is
 * added by one write(); a file of 5120 bytes or more is counted anew, and so is
 * one that cannot be read, that has other limits, whose sum is negative; and
 * nobody is refused because of a sum that is older than 15 minutes or has more
 * than one line.  A count is true when no folder has changed meanwhile, else the
 * file is taken away again, and the next one counts.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_MAILDIRSIZE_H
#define QUOTA_MAILDIRSIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "quota/limits.h"

enum {
	MAILDIRSIZE_MAX = 5120,    /* bytes: from there on it is counted anew */
	MAILDIRSIZE_FRESH_S = 900, /* a sum that is older refuses nobody */
	MAILDIRSIZE_LINE_MAX = 64
};

struct maildirsize {
	struct quota_limits limits;
	struct quota_amount use;
	size_t lines; /* behind the limits */
};

/* False: it cannot be used.  What stands behind the last LF is passed over:
 * somebody is just writing it. */
bool maildirsize_parse(struct str text, struct maildirsize *out);

/* The first line, without LF. */
void maildirsize_limits(struct buf *line, const struct quota_limits *limits);

#endif
