/* askwait - a worker asks master whether it may wait for others now
 *
 * See waits.h.  The answer comes by a channel of its own, so that nothing else that
 * master says has to be read in the middle of a job.  Blocks, for moments: master
 * waits for nobody.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_ASKWAIT_H
#define SERVER_ASKWAIT_H

#include "base/attributes.h"
#include "base/err.h"
#include "ipc/channel.h"
#include "server/wire.h"

/* -1: 4.3.2, as many as may are waiting already; 4.3.0, master did not say. */
MUST_USE int askwait_begin(
	struct channel *master, enum wire_wait what, struct err *err);
/* A master that does not hear it has gone. */
void askwait_end(struct channel *master, enum wire_wait what);

#endif
