/* SPDX-License-Identifier: MIT */
#include "sieve/comparator.h"

#include "base/banned.h"

struct str
comparator_fold(
	const struct comparator *comparator, struct arena *arena, struct str s)
{
	return comparator->fold != NULL ? comparator->fold(arena, s) : s;
}

bool
comparator_relates(const struct comparator *comparator, enum relation relation,
	struct str left, struct str right)
{
	int order = comparator->order != NULL ? comparator->order(left, right)
	                                      : str_compare(left, right);

	switch (relation) {
	case RELATION_GT:
		return order > 0;
	case RELATION_GE:
		return order >= 0;
	case RELATION_LT:
		return order < 0;
	case RELATION_LE:
		return order <= 0;
	case RELATION_EQ:
		return order == 0;
	case RELATION_NE:
		return order != 0;
	}
	return false;
}

const struct comparator comparator_octet = {
	.name = "i;octet",
	.has_substring = true,
};

/* RFC 4790 9.2.1 folds to upper case, which matters for order only: "_" stands
 * behind the letters. */
static int
order_upper(struct str a, struct str b)
{
	size_t least = a.len < b.len ? a.len : b.len, i;

	for (i = 0; i < least; i++) {
		unsigned char x = (unsigned char)ascii_upper(a.data[i]);
		unsigned char y = (unsigned char)ascii_upper(b.data[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

/* Header names and values are mostly lower case, so lower case it is. */
const struct comparator comparator_ascii_casemap = {
	.name = "i;ascii-casemap",
	.has_substring = true,
	.fold = arena_lower,
	.order = order_upper,
};
