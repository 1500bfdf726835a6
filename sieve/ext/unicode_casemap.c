/* unicode_casemap - the comparator i;unicode-casemap (RFC 5051)
 *
 * Every code point is turned into its titlecase form and then decomposed:
 * a capital and a small e with an accent are the same, be it one code point
 * or two.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/unicode.h"
#include "sieve/comparator.h"
#include "sieve/registry.h"

#include "base/banned.h"

const struct comparator comparator_unicode_casemap = {
	.name = "i;unicode-casemap",
	.has_substring = true,
	.has_code_points = true,
	.growth = UNICODE_CASEMAP_GROWTH,
	.fold = unicode_casemap,
	.places = unicode_casemap_places,
};
