/* listener - where clients come in
 *
 * Who may not come in (network, number of connections) is told so and closed at
 * once.  When the process or the machine has no descriptors left, the next client
 * is told to come back, and nobody is let in for a moment: the others wait in the
 * kernel's queue.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_LISTENER_H
#define LMTP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/loop.h"
#include "conf/settings.h"
#include "server/wire.h"
#include "lmtp/connection.h"
#include "lmtp/counters.h"

enum {
	LISTENER_ROUND = 64,     /* clients let in at once */
	LISTENER_PAUSE_MS = 200, /* after running out of descriptors */
	LISTENER_LOG_MS = 10000  /* between two complaints of a kind */
};

struct listener;

/* All of them. */
struct listeners {
	struct loop *loop;
	struct arena *arena;
	const struct settings *settings;
	struct connections *connections;
	struct counters *counters;

	struct listener *first;
	int spare; /* a descriptor to be given up for telling a client */
	struct loop_timer pause;
	uint64_t silent_until_ms; /* about descriptors */
	uint64_t full_until_ms;   /* about the number of connections */
};

/* What stands before `first` is set already. */
void listeners_open(struct listeners *listeners);
void listeners_close(struct listeners *listeners);

/* Takes the descriptor over. */
void listeners_add(
	struct listeners *listeners, const struct wire_listener *message);

#endif
