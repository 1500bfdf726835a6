/* inclusion - a script that runs inside another (RFC 6609 3)
 *
 * Variables are the script's own: they are empty when it begins, be it for the
 * second time, and so are its match variables; those of its includer are as
 * they were when it ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_INCLUSION_H
#define SIEVE_INCLUSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "sieve/evaluate.h"

/* Of the program's first script. */
void inclusion_start(struct run *run);

/* An include that control has reached; `at` is the next instruction. */
MUST_USE enum sieve_status inclusion_begin(
	struct run *run, const struct call *call, size_t *at);

/* The script that runs has ended.  False: it was the first. */
bool inclusion_end(struct run *run, size_t *at);

#endif
