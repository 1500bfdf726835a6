/* ask - a delivery asks state about a count
 *
 * Blocks, for ASK_TIMEOUT_MS at most in each call.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_ASK_H
#define QUOTA_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "ipc/channel.h"
#include "quota/request.h"

enum { ASK_TIMEOUT_MS = 5000 };

struct ask {
	const char *path; /* of state's socket */
	struct channel channel;
	uint64_t request; /* the last one's number */
};

/* `path` is borrowed. */
void ask_init(struct ask *ask, const char *path);
void ask_clear(struct ask *ask);

/* NONE: no server is there, or it is not for us. */
MUST_USE enum lookup ask_connect(struct ask *ask, struct err *err);

/* With a connection.  -1 also for UNABLE; what was asked may have been done then. */
MUST_USE int ask_count(struct ask *ask, struct request_count *count,
	struct request_counted *counted_out, struct err *err);

#endif
