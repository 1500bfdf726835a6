/* warnings - what is done when a quota passes a threshold (quota_warning)
 *
 *   quota_warning  = storage=95%% tell-user 95 %u      a program of the admin's
 *   quota_warning2 = -storage=80%% message             a message to the user
 *
 * Which thresholds a delivery has passed is known when its copies are counted; the
 * rest is done when all jobs that were begun together have told their outcome: no
 * client waits for it.  What goes wrong is logged, nothing more.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_WARNINGS_H
#define DELIVER_WARNINGS_H

#include <stddef.h>

#include "quota/quota.h"
#include "deliver/deliver.h"

/* After quota_end(), when no delivery of the jobs is before it: compares, and keeps
 * what it has found in the delivery's work. */
void warnings_collect(const struct job *job, const struct delivery *delivery,
	struct quota *quota);

/* With the stores still open.  Blocks, little longer than WARNINGS_TIME_MS. */
enum { WARNINGS_TIME_MS = 60 * 1000 };
void warnings_tell(struct job *const *jobs, size_t count);

#endif
