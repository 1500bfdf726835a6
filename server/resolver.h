/* resolver - addresses of host names, found beside the process
 *
 * getaddrinfo() takes as long as the slowest name server.  Some threads ask, each
 * for one name; whoever waits for another name, or for none, goes on.  What was
 * found is kept for a time; where nobody can tell now, what was known before
 * counts for an hour more.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_RESOLVER_H
#define SERVER_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	RESOLVER_THREADS = 8,
	RESOLVER_WAITING_MAX = 1000, /* names that nobody asks for yet */
	RESOLVER_NAMES_MAX = 10000,  /* kept */
	RESOLVER_ADDRESSES_MAX = 16, /* of a name; further ones are dropped */
	RESOLVER_FAILURE_MS = 5000,  /* a failure is kept */
	RESOLVER_STALE_MS = 3600 * 1000
};

struct resolver;

/* Writes the addresses of the host, one line each, in the order in which they are
 * to be tried; "": there are none.  NULL, or what is wrong.  May block; called in
 * threads. */
typedef const char *resolver_find(const char *host, char *lines, size_t size);
/* By the system. */
resolver_find resolver_by_system;

struct resolver_answer {
	const char *host;
	const char *addresses; /* lines as above; NULL: see `err` */
	uint64_t good_ms;      /* for so long */
	struct err err;        /* 4.4.0 */
};

/* The threads are started as they are needed. */
MUST_USE int resolver_open(struct resolver **resolver_out, resolver_find *find,
	uint64_t keep_ms, struct err *err);
/* Nobody is waited for. */
void resolver_close(struct resolver **resolver);

/* Readable when there are results. */
int resolver_fd(const struct resolver *resolver);

/* FOUND: *answer_out holds until the next call.  NONE: it is being asked for, and
 * resolver_take() gives it.  ERROR: too many names wait, or there is no thread. */
MUST_USE enum lookup resolver_ask(struct resolver *resolver, const char *host,
	uint64_t now_ms, struct resolver_answer *answer_out, struct err *err);

/* The next result, until the next call.  NONE: there is none now. */
MUST_USE enum lookup resolver_take(struct resolver *resolver, uint64_t now_ms,
	struct resolver_answer *answer_out);

#endif
