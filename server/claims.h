/* claims - a worker asks the memory of deliveries
 *
 * All copies are flushed and none has its name yet: claims_ask().  Those that are
 * GRANTED or BROKEN belong to this worker until claims_finish(), or until its
 * connection to state ends.
 *
 *   claims_ask()     -> GRANTED               file it, then claims_finish()
 *                       BROKEN                look for what `found` names; then
 *                                             claims_finish(), or claims_again()
 *                                             and file it, then claims_finish()
 *                       BUSY                  451: another one is at it
 *                       FINISHED              nothing to do, `outcome` is the result
 *                       UNABLE                file it, and say so in the log; no
 *                                             claims_finish(), no handle
 *
 * docs/decisions/processes-and-their-wire.md, "Once and only once".  Blocks, for
 * CLAIMS_TIMEOUT_MS at most in each call.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CLAIMS_H
#define SERVER_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "ipc/channel.h"
#include "server/wire.h"

enum {
	CLAIMS_TIMEOUT_MS = 5000,
	/* Bytes of a value; a claim with a longer one is UNABLE. */
	CLAIM_VALUE_MAX = 32 * 1024
};

struct claims {
	const char *path; /* of state's socket */
	struct channel channel;
	uint64_t request;  /* the last one's number */
	size_t held;       /* claims that are this connection's */
	size_t timeout_ms; /* CLAIMS_TIMEOUT_MS; a test takes less */
	/* The items of claims_send(), whose answer is still to come; NULL: none. */
	const struct claim *sent;
	size_t sent_count; /* that state was asked about */
};

struct claim {
	unsigned char key[32];
	/* Ours, random.  FINISHED: becomes the entry's, for the handle. */
	unsigned char secret[16];
	struct str value; /* what will be done; never read by state */

	enum wire_claim_state state; /* the answer */
	enum wire_outcome outcome;   /* FINISHED */
	struct str found;            /* BROKEN: the value of who had it */
};

/* `path` is borrowed; nothing is connected before the first question. */
void claims_init(struct claims *claims, const char *path);
/* Gives up what is held: BROKEN for the next one who asks. */
void claims_clear(struct claims *claims);

/* Sends the question that claims_ask() for the same items will wait for, so that
 * state works at it meanwhile.  Nothing when they do not fit in one frame, or
 * where it cannot be sent: then claims_ask() does it all. */
void claims_send(struct claims *claims, struct arena *arena,
	const struct claim *items, size_t count);

/* Asks for all; `found` lives in the arena.  An err is temporary and means that
 * nothing is held any more, of earlier questions neither. */
MUST_USE int claims_ask(struct claims *claims, struct arena *arena,
	struct claim *items, size_t count, struct err *err);

/* What was BROKEN and did not get far: says what will be done now (`value`).  The
 * answers are GRANTED or UNABLE.  An err as above. */
MUST_USE int claims_again(struct claims *claims, struct arena *arena,
	struct claim *items, size_t count, struct err *err);

/* The end of what is held; WIRE_FAILED forgets it.  An err is for the log: the
 * delivery is what it is, and a retry finds out by itself. */
MUST_USE int claims_finish(struct claims *claims,
	const struct wire_finish_item *items, size_t count, struct err *err);

#endif
