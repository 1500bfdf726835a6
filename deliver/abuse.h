/* abuse - a report of abuse that a script sends (vnd.dovecot.report, RFC 5965)
 *
 * The report leaves when the delivery is over (notices.h).  A message that is a
 * report itself is not reported.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_ABUSE_H
#define DELIVER_ABUSE_H

#include "deliver/deliver.h"

struct sieve_action;

/* Writes the report and adds it to the delivery's notices. */
void abuse_plan(struct job *job, struct delivery *delivery,
	const struct sieve_action *action);

#endif
