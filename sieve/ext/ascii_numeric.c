/* ascii_numeric - the comparator i;ascii-numeric (RFC 4790 9.1)
 *
 * The digits at the beginning are a number of any size; a string without one is
 * positive infinity.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/comparator.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* The number without its leading zeros; infinity is the empty string. */
static struct str
fold_number(struct arena *arena UNUSED, struct str s)
{
	size_t end = 0, zeros = 0;

	while (end < s.len && ascii_is_digit(s.data[end]))
		end++;
	while (zeros + 1 < end && s.data[zeros] == '0')
		zeros++;
	return str_slice(s, zeros, end);
}

/* Without leading zeros the longer number is the greater one. */
static int
order_numbers(struct str a, struct str b)
{
	if (a.len == 0 || b.len == 0)
		return (a.len == 0) - (b.len == 0);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return str_compare(a, b);
}

const struct comparator comparator_ascii_numeric = {
	.name = "i;ascii-numeric",
	.fold = fold_number,
	.order = order_numbers,
};
