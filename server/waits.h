/* waits - how many workers may wait for others at a time
 *
 *   worker  --WAIT, one end of a channel--> master --MAY_WAIT, by that end--> worker
 *           --WAITED-->
 *
 * A worker that waits for mail to be taken, or for a program to end, does nothing
 * else meanwhile, and how long that takes is up to others.  So only a part of the
 * workers may wait for each; mail that needs more comes again.  Whatever hangs,
 * mail that needs none of it finds workers.
 *
 * Master counts: it survives the mailer, and no worker can take another one's
 * place.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_WAITS_H
#define SERVER_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/wire.h"

struct waits {
	size_t limits[WIRE_WAITS];
	size_t counts[WIRE_WAITS];
	uint64_t refused[WIRE_WAITS];
};

/* One worker's. */
struct waiter {
	bool is_waiting[WIRE_WAITS];
};

/* Of `workers` at most; a limit of 0 is the default share. */
void waits_init(struct waits *waits, size_t workers, uint64_t mail_limit,
	uint64_t program_limit);

/* False: too many wait already.  True also when it waits for that anyway. */
bool waits_begin(
	struct waits *waits, struct waiter *waiter, enum wire_wait what);
void waits_end(struct waits *waits, struct waiter *waiter, enum wire_wait what);
/* It is idle, or has ended. */
void waits_end_all(struct waits *waits, struct waiter *waiter);

#endif
