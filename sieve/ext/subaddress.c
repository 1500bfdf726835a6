/* subaddress - :user and :detail (RFC 5233)
 *
 *   amy+lists@example.org     :user amy   :detail lists
 *   amy@example.org           :user amy   no detail: no key matches
 *   amy+@example.org          :user amy   :detail is empty
 *
 * The delimiters are a set; the first one that stands in the local part divides
 * it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/registry.h"

#include "base/banned.h"

static bool
take_user(const struct address *address, const char *delimiters,
	struct str *part_out)
{
	struct str local = address->local_part;

	*part_out = str_slice(local, 0, str_find_any(local, delimiters));
	return true;
}

static bool
take_detail(const struct address *address, const char *delimiters,
	struct str *part_out)
{
	struct str local = address->local_part;
	size_t at = str_find_any(local, delimiters);

	*part_out = str_skip(local, at + 1);
	return at < local.len;
}

static const struct address_part part_user = {
	.needs_syntax = true,
	.take = take_user,
};
static const struct address_part part_detail = {
	.needs_syntax = true,
	.take = take_detail,
};

const struct tag_ops tag_user = {.address_part = &part_user};
const struct tag_ops tag_detail = {.address_part = &part_detail};
