/* places - from what a record says to the host that is connected to
 *
 *   host=GROUP   the backend that has the user now (proxy/groups.h); its port counts
 *   host=NAME    where a group has a backend of that host and port, that one: its
 *                health counts, and whether it is drained
 *   a name       its addresses (proxy/hosts.h), to be tried in order
 *
 * Hears how connections to the groups' backends end, and sends probes to those of
 * which nothing else is heard.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_PLACES_H
#define PROXY_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/loop.h"
#include "mail/route.h"
#include "conf/settings.h"
#include "proxy/backend.h"
#include "proxy/groups.h"
#include "proxy/hosts.h"

struct places {
	/* The owner's: */
	struct loop *loop;
	const struct settings *settings;
	struct backends *backends;

	struct groups groups;
	struct hosts hosts;
	struct loop_timer probing;
	uint64_t changes; /* worth telling */
};

void places_open(struct places *places);
/* Before the backends. */
void places_close(struct places *places);

/* FOUND: *backend_out.  NONE: a name is being looked up, and `wait` is told.
 * ERROR: 4.4.0, 4.3.2, 4.3.5. */
MUST_USE enum lookup places_find(struct places *places, const char *user,
	const struct route *route, uint32_t came_in_on, struct host_wait *wait,
	struct backend **backend_out, struct err *err);

/* Word of a backend: it has answered, or it could not be reached. */
void places_heard(struct places *places, struct backend *backend, bool is_good);

/* Takes the backend of that name, in all groups, out of service, or back. */
void places_drain(struct places *places, const char *name, bool is_drained);
/* groups_move(). */
MUST_USE int places_move(struct places *places, const char *user,
	const char *backend, struct err *err);

#endif
