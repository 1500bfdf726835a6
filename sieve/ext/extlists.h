/* extlists - what compare.c does for the match type :list (RFC 6134 2.2)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_EXTLISTS_H
#define SIEVE_EXT_EXTLISTS_H

#include "base/attributes.h"
#include "base/str.h"
#include "sieve/compare.h"

/* Is the value in one of the lists that the keys name?  Sets is_true, and ${0}
 * to the value. */
MUST_USE enum sieve_status extlists_compare(
	struct compare *compare, struct str value, struct str folded);

/* All values of a list, for redirect :list (RFC 6134 2.3). */
struct run;
MUST_USE enum sieve_status extlists_expand(struct run *run, struct str name,
	const struct str **values_out, size_t *count_out);

#endif
