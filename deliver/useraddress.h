/* useraddress - which addresses are the user's own
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_USERADDRESS_H
#define DELIVER_USERADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "mail/address.h"
#include "deliver/deliver.h"

/* sieve_user_email, else the user's name where it is an address, else that of the
 * recipient.  False: none of them is one. */
bool useraddress_main(const struct job *job, const struct delivery *delivery,
	struct address *address_out);

/* Further ones by index, from 0 on: the recipient, then sieve_user_aliases.  False
 * behind the last one. */
bool useraddress_alias(
	const struct delivery *delivery, size_t index, struct str *address_out);

#endif
