/* comparator - when are two strings the same (RFC 4790, RFC 5228 2.7.3)
 *
 * A comparator turns a string into a form in which equal strings have equal
 * octets.  Matching then only knows octets, and a value that is compared with
 * many keys is turned once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_COMPARATOR_H
#define SIEVE_COMPARATOR_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

struct comparator {
	const char *name;
	bool has_substring; /* goes with :contains and :matches */
	/* Lives in the arena or is `s`; NULL: `s` is that form already.  With
	 * has_substring every octet keeps its place, so that what a wildcard
	 * stood for can be cut out of the original. */
	struct str (*fold)(struct arena *arena, struct str s);
};

extern const struct comparator comparator_octet;
extern const struct comparator comparator_ascii_casemap;

struct str comparator_fold(
	const struct comparator *comparator, struct arena *arena, struct str s);

#endif
