/* SPDX-License-Identifier: MIT */
#include "sieve/addresspart.h"

#include "base/banned.h"

static bool
take_all(const struct address *address, const char *delimiters UNUSED,
	struct str *part_out)
{
	*part_out = address->text;
	return true;
}

static bool
take_localpart(const struct address *address, const char *delimiters UNUSED,
	struct str *part_out)
{
	*part_out = address->local_part;
	return true;
}

static bool
take_domain(const struct address *address, const char *delimiters UNUSED,
	struct str *part_out)
{
	*part_out = address->domain;
	return true;
}

static const struct address_part part_all = {.take = take_all};
static const struct address_part part_localpart = {
	.needs_syntax = true,
	.take = take_localpart,
};
static const struct address_part part_domain = {
	.needs_syntax = true,
	.take = take_domain,
};

const struct tag_ops tag_all = {.address_part = &part_all};
const struct tag_ops tag_localpart = {.address_part = &part_localpart};
const struct tag_ops tag_domain = {.address_part = &part_domain};

enum sieve_status
compare_address(
	struct compare *compare, const struct address *address, bool is_good)
{
	const struct address_part *part = compare->call->address_part;
	struct str value;

	/* RFC 5231 4.2: mailboxes, whatever the part. */
	if (compare_counts(compare))
		return address->is_null || address->is_broken
		               ? SIEVE_OK
		               : compare_value(compare, address->text);
	/* RFC 5228 5.4: the null sender is empty, whatever the part. */
	if (address->is_null && is_good)
		return compare_value(compare, STR_EMPTY);
	if (part->needs_syntax && !is_good)
		return SIEVE_OK;
	if (!part->take(address, compare->run->settings.delimiters, &value))
		return SIEVE_OK;
	return compare_value(compare, value);
}
