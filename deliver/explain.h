/* explain - keeps what was decided for each recipient of a job, and why
 *
 * Into explain_log, before anybody is told the outcome, so that who asks
 * afterwards finds it.  What goes wrong here is logged and changes nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_EXPLAIN_H
#define DELIVER_EXPLAIN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "deliver/decision.h"
#include "deliver/deliver.h"

/* Of a delivery whose outcome is final; it still has its store.  Lives in the
 * job's arena. */
struct decision explain_delivery(
	struct job *job, const struct delivery *delivery);

/* All deliveries of the job. */
void explain_keep(struct job *job);

/* A recipient was refused before there was a message of (as was said) `size`
 * bytes. */
void explain_refusal(struct job *job, const struct delivery *delivery,
	uint64_t size, const struct err *why);

#endif
