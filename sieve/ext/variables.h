/* variables - names and values, for other extensions (RFC 5229)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_VARIABLES_H
#define SIEVE_EXT_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"

/* The index of the variable of that name, made when it is new.  False when
 * there are too many; that has been reported. */
bool variables_index(struct checker *checker, struct position at,
	struct str name, size_t *index_out);

/* The same for every text of an argument, which have to be constant names of
 * variables; they become the variables that the call names. */
bool variables_named(struct checker *checker, struct call *call,
	const struct argument *argument);

/* Is it an identifier, neither a number nor in a namespace? */
bool variables_is_name(struct str name);

/* Applies the modifiers that stand at the call (RFC 5229 4.1).  The value is then
 * in scratch, or unchanged. */
MUST_USE enum sieve_status variables_modify(
	struct run *run, const struct call *call, struct str *value);

#endif
