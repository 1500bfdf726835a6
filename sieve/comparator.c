/* SPDX-License-Identifier: MIT */
#include "sieve/comparator.h"

#include "base/banned.h"

struct str
comparator_fold(
	const struct comparator *comparator, struct arena *arena, struct str s)
{
	return comparator->fold != NULL ? comparator->fold(arena, s) : s;
}

const struct comparator comparator_octet = {
	.name = "i;octet",
	.has_substring = true,
};

/* RFC 4790 9.2.1 folds to upper case, which matters for order only; header
 * names and values are mostly lower case, so lower case it is. */
const struct comparator comparator_ascii_casemap = {
	.name = "i;ascii-casemap",
	.has_substring = true,
	.fold = arena_lower,
};
