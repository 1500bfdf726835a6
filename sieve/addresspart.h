/* addresspart - :all, :localpart, :domain, and who uses them (RFC 5228 2.7.4)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_ADDRESSPART_H
#define SIEVE_ADDRESSPART_H

#include <stdbool.h>

#include "mail/address.h"
#include "sieve/compare.h"

/* Compares the part of the address that the call is about.  `is_good`: the
 * address has the syntax of one; others only have a whole text. */
MUST_USE enum sieve_status compare_address(
	struct compare *compare, const struct address *address, bool is_good);

#endif
