/* names - who waits for the addresses of a host
 *
 * Over server/resolver.h, for the one process that may ask name servers: proxies
 * that want a host's addresses, and recipients with proxy_maybe, of whom nobody
 * knows yet whether they live here.  Nobody waits longer than NAMES_WAIT_MS; what
 * is found later is known to the next one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_NAMES_H
#define SERVER_NAMES_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/list.h"
#include "server/resolver.h"
#include "server/wire.h"

enum {
	NAMES_WAIT_MS = 5000, /* and no more than half of lookup_timeout */
	NAMES_WAITERS_MAX = 20000
};

struct names {
	struct resolver *resolver;
	uint64_t wait_ms;
	struct list
		waiters; /* struct waiter, in the order of their deadlines */
	size_t count;
	/* The answer to names_resolve(). */
	int (*resolved)(struct names *names, struct wire_resolved *answer,
		struct err *err);
	/* names_wait() is over: ask again, or (err is no ERR_NONE) refuse. */
	int (*again)(struct names *names, const struct wire_lookup *question,
		const struct err *why, struct err *err);
};

MUST_USE int names_open(struct names *names, uint64_t keep_ms,
	uint64_t lookup_timeout_ms, struct err *err);
void names_close(struct names *names);

/* For poll(); -1: nobody waits. */
int names_timeout_ms(const struct names *names);
/* When names->resolver is readable, or that time is over.  -1: a call has failed. */
MUST_USE int names_serve(struct names *names, struct err *err);

/* Answers by `resolved`, now or later. */
MUST_USE int names_resolve(struct names *names,
	const struct wire_resolve *question, struct err *err);

/* As resolver_ask(); NONE: names_wait(). */
MUST_USE enum lookup names_find(struct names *names, const char *host,
	struct resolver_answer *answer_out, struct err *err);
/* The question is asked again when it is. */
void names_wait(struct names *names, const char *host,
	const struct wire_lookup *question);

#endif
