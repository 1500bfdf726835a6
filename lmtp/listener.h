/* listener - which clients come in, and what the others are told
 *
 * Who may not come in (network, user, number of connections) is told so and closed at
 * once; so is the next one when the process or the machine has no descriptors left.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_LISTENER_H
#define LMTP_LISTENER_H

#include <stdint.h>

#include "conf/settings.h"
#include "server/door.h"
#include "lmtp/connection.h"
#include "lmtp/counters.h"

struct listeners {
	const struct settings *settings;
	struct connections *connections;
	struct counters *counters;

	struct doors doors;
	uint64_t full_until_ms; /* no word about the number of connections */
};

/* What stands before `doors` is set already. */
void listeners_open(struct listeners *listeners, struct loop *loop);
void listeners_close(struct listeners *listeners);

/* Takes the descriptor over. */
void listeners_add(
	struct listeners *listeners, const struct wire_listener *message);

#endif
