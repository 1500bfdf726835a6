/* forwardlock - one at a time of the LDAs that forward the same message
 *
 * For a user whose marks are in a file of their own (seen.h): who comes second finds
 * the mark of who was first.  The server needs none of this, as state knows which
 * deliveries are under way.
 *
 * A byte of ~/.doorstep-forwarding is locked, whose place is that of the message:
 * only those of the same one wait.  It ends with its process.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_FORWARDLOCK_H
#define DELIVER_FORWARDLOCK_H

#include "sieve/sieve.h"
#include "deliver/deliver.h"

#define FORWARDLOCK_FILE ".doorstep-forwarding"

/* Waits as long as handing over may take, and is content without: in doubt
 * something is forwarded twice.  Has no effect when it is held already. */
void forwardlock_take(const struct job *job, const struct delivery *delivery,
	const unsigned char key[SIEVE_MARK_KEY]);

void forwardlock_give(const struct delivery *delivery);

#endif
