/* memory - what was passed on while the client's reply is not confirmed (RFC 1047)
 *
 * As server/claims.h, of which state is asked in the same words, but in an event
 * loop.  The key of a delivery has the message in it as the client sent it, so
 * that it means the same whichever backend the user has now.
 *
 *   memory_ask()     before the message is sent on: over() with each item's state
 *     GRANTED, BROKEN  send it, then memory_finish()
 *     FINISHED         it was taken before; nothing is sent
 *     BUSY             somebody is at it: try again
 *     UNABLE           nobody remembers: send it all the same, no memory_finish()
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_MEMORY_H
#define PROXY_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/table.h"
#include "ipc/link.h"
#include "server/wire.h"
#include "proxy/body.h"

enum {
	MEMORY_WAIT_MS = 5000,
	/* Of one question; further ones are UNABLE. */
	MEMORY_ITEMS_MAX = 2000
};

struct memory {
	/* The owner's. */
	struct loop *loop;
	struct arena *arena; /* of received frames */
	const char *path;    /* of state's socket; NULL: there is no memory */

	struct link link; /* made when it is needed */
	uint32_t uid;
	uint64_t last_request;
	struct table asks; /* struct question */
	uint64_t told_ms;  /* that nothing can be remembered */
};

struct memory_item {
	unsigned char key[32];
	unsigned char secret[16]; /* FINISHED: the entry's */
	enum wire_claim_state state;
};

struct question;

struct memory_ask {
	struct memory_item *items;
	size_t count;
	void (*over)(struct memory_ask *ask);

	struct question *question; /* while it is asked */
};

void memory_open(struct memory *memory);
/* Nobody waits. */
void memory_close(struct memory *memory);

/* The key of a message to somebody; -1: the message cannot be read. */
struct memory_key {
	struct str sender, recipient, orcpt;
	unsigned char body[32]; /* memory_digest() */
};
MUST_USE int memory_digest(const struct body *body, unsigned char digest[32]);
void memory_make_key(const struct memory_key *from, unsigned char key[32]);

/* `items` have keys; secrets are made.  over() is called once, never within this
 * call. */
void memory_ask(struct memory *memory, struct memory_ask *ask);
/* over() is not called any more; what is granted yet is given back. */
void memory_ask_end(struct memory_ask *ask);
/* What became of one that was GRANTED or BROKEN; WIRE_FAILED forgets it. */
void memory_finish(struct memory *memory, const unsigned char key[32],
	enum wire_outcome outcome);

#endif
