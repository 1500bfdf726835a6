/* index - one of several header fields: :index and :last (RFC 5260 6)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_INDEX_H
#define SIEVE_EXT_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/message.h"
#include "sieve/evaluate.h"

bool index_is_given(const struct call *call);

/* The field that the call's :index and :last name, counted over all fields of
 * these names, in the order of the names; NULL when there is none.  Steps for
 * the walk are the caller's to take. */
const struct header_field *index_field(const struct run *run,
	const struct call *call, const struct str *names, size_t count);

#endif
