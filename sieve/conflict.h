/* conflict - actions that one script may not have both (RFC 5228 2.10.2)
 *
 * A message that is refused is not delivered, and its sender gets one answer:
 * `reject` and `ereject` go with neither keep, fileinto and redirect (RFC 5429 2.4,
 * where this is recommended) nor a second refusal nor vacation (where it must not
 * be).  What scripts before it in a sequence have done is no conflict: so an admin
 * can file what users refuse.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_CONFLICT_H
#define SIEVE_CONFLICT_H

#include <stddef.h>

#include "base/attributes.h"
#include "sieve/evaluate.h"

/* SIEVE_FAILED when the action may not stand beside those of this run. */
MUST_USE enum sieve_status conflict_check(
	struct run *run, const struct sieve_action *action);

#endif
