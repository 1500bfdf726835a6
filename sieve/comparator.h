/* comparator - when are two strings the same, and which one is the greater
 * (RFC 4790, RFC 5228 2.7.3)
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
	/* "?" stands for a code point (RFC 5228 2.7.1), not for an octet. */
	bool has_code_points;
	/* A folded string has at most so many times the octets; 0: as many. */
	unsigned growth;
	/* Lives in the arena or is `s`; NULL: `s` is that form already. */
	struct str (*fold)(struct arena *arena, struct str s);
	/* For each octet of the folded string, and for its end, the place in `s`
	 * that it comes from: so that what a wildcard stood for can be cut out
	 * of the original.  NULL: with has_substring every octet keeps its
	 * place. */
	const size_t *(*places)(struct arena *arena, struct str s);
	/* <0, 0, >0 for folded strings; NULL: by their octets. */
	int (*order)(struct str a, struct str b);
};

/* RFC 5231 4 */
enum relation {
	RELATION_GT,
	RELATION_GE,
	RELATION_LT,
	RELATION_LE,
	RELATION_EQ,
	RELATION_NE
};

extern const struct comparator comparator_octet;
extern const struct comparator comparator_ascii_casemap;

struct str comparator_fold(
	const struct comparator *comparator, struct arena *arena, struct str s);

/* Does the relation hold between two folded strings? */
bool comparator_relates(const struct comparator *comparator,
	enum relation relation, struct str left, struct str right);

#endif
