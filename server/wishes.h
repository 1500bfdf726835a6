/* wishes - what the admin wants of the proxy, kept in master
 *
 * Users that are moved and backends that are drained (`doorstep proxy`).  State keeps
 * them over restarts (wishes_put(), wishes_load()); each proxy is told all of them
 * when it starts, and each further one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_WISHES_H
#define SERVER_WISHES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/settings.h"
#include "dict/dict.h"
#include "server/proxywire.h"

enum {
	WISHES_BUCKETS = 4096,
	WISHES_MAX = 1000000 /* each costs some hundred bytes */
};

struct wish;

struct wishes {
	struct wish *buckets[WISHES_BUCKETS];
	size_t count;
};

/* An empty value takes it back.  -1: 4.3.1, there are too many. */
MUST_USE int wishes_set(struct wishes *wishes,
	const struct wire_proxy_wish *wish, struct err *err);
void wishes_clear(struct wishes *wishes);
/* Calls for each. */
void wishes_each(const struct wishes *wishes,
	void (*call)(void *context, struct wire_proxy_wish *wish),
	void *context);

/* Does it make sense with these groups?  -1: 5.x; the text says what is wrong. */
MUST_USE int wishes_check(const struct settings *settings,
	const struct wire_proxy_wish *wish, struct err *err);

/* ---- in state's data base ---- */

MUST_USE int wishes_put(
	struct dict *dict, const struct wire_proxy_wish *wish, struct err *err);
/* All that are there, those of strangers' making left out; lives in the arena. */
MUST_USE int wishes_load(struct dict *dict, struct arena *arena,
	void (*call)(void *context, struct wire_proxy_wish *wish),
	void *context, struct err *err);

#endif
