/* loop - foreverypart while it runs (RFC 5703 3)
 *
 * A loop goes over the parts as they are when it begins, whatever its block does
 * to the message.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_LOOP_H
#define SIEVE_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "sieve/evaluate.h"
#include "sieve/part.h"

/* Where the innermost loop is; false outside of all. */
bool loop_part(
	const struct run *run, struct parts **parts_out, size_t *index_out);

/* The part is another one now: no loop goes on to those that were inside of it. */
void loop_drop_children(struct parts *parts, size_t index);

/* ---- for evaluate.c ---- */

/* Over all parts of the message, or in a loop over those within its part. */
MUST_USE enum sieve_status loop_begin(struct run *run);

/* False when there is none left: the loop has ended. */
bool loop_next(struct run *run);

/* Ends the innermost `count` loops. */
void loop_leave(struct run *run, size_t count);

#endif
