/* askrunner - programs that scripts ask a worker for, run by a runner
 *
 *   worker --RUNNER, one end of a channel--> master --that end--> runner
 *   worker --RUN--> runner --RAN--> worker          over the channel
 *
 * Workers do not run other programs; a runner is a process of its own, started by
 * master with the worker's identity when the worker wants one.  One that is dead,
 * or does not answer in time, is a program that failed.
 *
 * Blocks, little longer than the program may run.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_ASKRUNNER_H
#define SERVER_ASKRUNNER_H

#include <stdbool.h>

#include "base/arena.h"
#include "ipc/channel.h"
#include "deliver/programs.h"

struct askrunner {
	struct channel link; /* closed: there is no runner */
};

void askrunner_init(struct askrunner *asker);
/* The runner ends. */
void askrunner_close(struct askrunner *asker);
bool askrunner_is_open(const struct askrunner *asker);

/* request->timeout_ms is given.  The output lives in the arena. */
void askrunner_run(struct askrunner *asker, struct channel *master,
	struct arena *arena, const struct program_request *request,
	struct program_answer *answer);

#endif
