/* notify - a message that tells of a message (RFC 5435, RFC 5436)
 *
 * The notification leaves when the delivery is over (notices.h).  None is sent
 * about a message that is auto-submitted, so that notifications do not answer each
 * other, and no address gets two in one delivery (RFC 5436 2.7).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_NOTIFY_H
#define DELIVER_NOTIFY_H

#include "deliver/deliver.h"

struct sieve_action;

/* Writes the message for the action and adds it to the delivery's notices. */
void notify_plan(struct job *job, struct delivery *delivery,
	const struct sieve_action *action);

#endif
