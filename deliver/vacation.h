/* vacation - the answer that a script wants to be sent (RFC 5230 5)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_VACATION_H
#define DELIVER_VACATION_H

#include "sieve/sieve.h"
#include "deliver/deliver.h"

/* Writes the answer and adds it to the delivery's notices. */
void vacation_plan(struct job *job, struct delivery *delivery,
	const struct sieve_action *action);

#endif
