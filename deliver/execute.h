/* execute - do what the plans of some jobs say, in phases over all recipients
 *
 *   write    every copy under a private name, identical ones as links
 *   room     for all copies of a recipient, where there is a quota
 *   sync     every file
 *   ask      does the client still wait, and was this delivered before?
 *   hand over redirects, and refusals that are mailed
 *                             trouble: the recipient's copies are abandoned
 *   pipe to programs          trouble: a copy is kept instead
 *   rename   every copy
 *   settle   every folder once
 *
 * Nothing is visible before the rename; nothing counts as saved before the
 * settle.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_EXECUTE_H
#define DELIVER_EXECUTE_H

#include "deliver/deliver.h"

struct batch;
void execute_plans(struct batch *batch);

/* What a job may have to wait for beside the disk.  No other job should wait with it
 * that waits for less. */
enum execute_wait {
	EXECUTE_DISK,  /* for nothing else */
	EXECUTE_BRIEF, /* a lock that others hold for moments: keywords */
	EXECUTE_RELAY, /* mail to be taken; several are under way together */
	/* The lock of a mailbox, a program; or the disk, as there are more than
	 * EXECUTE_FEW recipients. */
	EXECUTE_LONG,
	/* For what another job of these may mark (seen.h), or for programs that
	 * its scripts run. */
	EXECUTE_AFTER
};
/* Letters to a few do not wait for one to very many; and the claims of a batch stay
 * fewer than state grants to one worker. */
enum { EXECUTE_FEW = 100 };
enum execute_wait execute_wait_of(const struct job *job);

/* Takes everything back that was done for a delivery. */
void execute_abandon(struct delivery *delivery);

/* Ends a copy; one that has its name loses it again. */
struct plan_copy;
void execute_give_up(const struct delivery *delivery, struct plan_copy *copy);

#endif
