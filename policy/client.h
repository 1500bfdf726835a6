/* client - a connection of Postfix's, and its questions
 *
 * One request after the other, in their order; what comes meanwhile waits in the
 * buffer and then in the kernel.
 *
 *   reads --a question--> asks (master) --its answer--> writes --> reads
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef POLICY_CLIENT_H
#define POLICY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/str.h"
#include "ipc/link.h"
#include "conf/settings.h"
#include "server/wire.h"

enum {
	/* As many as there are descriptors, and no more than this; the next one
	 * waits in the kernel. */
	CLIENTS_MAX = 16 * 1024,
	CLIENTS_DESCRIPTORS_KEPT = 32, /* for all else */
	CLIENT_REQUEST_MAX = 32 * 1024 /* bytes; more is no request */
};

struct client;

/* All of them. */
struct clients {
	struct loop *loop;
	const struct settings *settings;
	struct link *master;
	struct client **slots;
	size_t slot_count; /* that there is room for */
	size_t count, most;
	uint64_t last_question;
	bool is_draining; /* who has no question goes */
	uint64_t requests, questions, refused, total; /* counters */
};

static inline bool
clients_are_full(const struct clients *clients)
{
	return clients->count >= clients->most;
}

/* How many there may be; the rest is set already. */
void clients_open(struct clients *clients);
/* Takes the descriptor over, which does not block; there is room. */
void clients_add(struct clients *clients, int fd);
/* RCPT_ANSWER; false when it is broken. */
bool clients_answer(struct clients *clients, struct frame *frame);
void clients_drain(struct clients *clients);
void clients_close(struct clients *clients);

#endif
