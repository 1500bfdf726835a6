/* returnpath - whose address mail has that scripts send on
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_RETURNPATH_H
#define DELIVER_RETURNPATH_H

#include "base/str.h"
#include "deliver/deliver.h"

/* What a setting (sieve_redirect_envelope_from ...) says: sender, recipient,
 * orig_recipient, user_email, postmaster or "<ADDRESS>".  A null sender stays null
 * whatever it says; one that cannot be read is the message's sender, and the log
 * says which `setting` it was.  Lives in the job's arena. */
struct str returnpath_of(const struct job *job, const struct delivery *delivery,
	const char *setting, const char *policy);

#endif
