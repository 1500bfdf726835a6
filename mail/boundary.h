/* boundary - the boundaries of the multiparts that are open (RFC 2046 5.1)
 *
 * A line belongs to the longest boundary that it begins with, and of several
 * equal ones to the innermost.  They are held in order, so that a look-up is one
 * pass over the line's beginning with a binary search for each byte, whatever
 * the sender chose them to be.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_BOUNDARY_H
#define MAIL_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes; RFC 2046 5.1.1 allows 70.  Longer ones divide nothing. */
enum { BOUNDARY_MOST = 512 };

struct boundary {
	struct str text; /* borrowed */
	size_t owner;    /* the caller's number for the multipart */
};

struct boundary_set {
	struct boundary *items; /* by text, then by the time they were added */
	size_t count, size;
	uint64_t steps; /* made by look-ups so far */
};

void boundary_set_clear(struct boundary_set *set);

/* Later additions are further inside. */
void boundary_add(struct boundary_set *set, struct str text, size_t owner);

/* Takes away the innermost of those with this text. */
void boundary_remove(struct boundary_set *set, struct str text);

/* `line`: what stands behind "--".  False when it begins with none of them. */
bool boundary_find(struct boundary_set *set, struct str line, size_t *owner_out,
	size_t *length_out);

#endif
