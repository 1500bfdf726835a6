/* listener - where Postfix comes in
 *
 * Who may come is a matter of the socket: its permissions and peer_users, or its
 * address.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef POLICY_LISTENER_H
#define POLICY_LISTENER_H

#include "base/arena.h"
#include "base/loop.h"
#include "server/wire.h"
#include "policy/client.h"

enum { POLICY_PAUSE_MS = 200 }; /* after running out of descriptors */

struct policy_listener;

struct policy_listeners {
	struct loop *loop;
	struct arena *arena;
	struct clients *clients;
	struct policy_listener *first;
	struct loop_timer pause;
	bool is_paused;
};

void policy_listeners_open(struct policy_listeners *listeners);
/* Takes the descriptor over. */
void policy_listeners_add(struct policy_listeners *listeners,
	const struct wire_listener *message);
/* After each round: may more come in? */
void policy_listeners_look(struct policy_listeners *listeners);
void policy_listeners_close(struct policy_listeners *listeners);

#endif
