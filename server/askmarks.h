/* askmarks - a worker asks state what was seen, and has marks kept
 *
 * On a connection of its own: what goes wrong here costs no claim.  Blocks, for
 * ASKMARKS_TIMEOUT_MS at most in each call.  An err is for the log.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_ASKMARKS_H
#define SERVER_ASKMARKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "ipc/channel.h"
#include "deliver/deliver.h"

enum { ASKMARKS_TIMEOUT_MS = 5000 };

struct askmarks {
	const char *path; /* of state's socket */
	struct channel channel;
	uint64_t request;    /* the last one's number */
	uint64_t timeout_ms; /* ASKMARKS_TIMEOUT_MS; a test takes less */
};

/* `path` is borrowed; nothing is connected before the first question. */
void askmarks_init(struct askmarks *ask, const char *path);
void askmarks_clear(struct askmarks *ask);

MUST_USE enum lookup askmarks_find(struct askmarks *ask,
	const unsigned char key[SEEN_KEY], struct err *err);

MUST_USE int askmarks_keep(struct askmarks *ask, const struct seen_mark *marks,
	size_t count, struct err *err);

/* Keeps one unless it is there.  NONE: it was. */
MUST_USE enum lookup askmarks_claim(
	struct askmarks *ask, const struct seen_mark *mark, struct err *err);

#endif
