/* backend - another host, and the connections to it
 *
 * Connections are kept from one transaction to the next, whoever the clients are.
 * Who wants one is an errand: it gets an idle one, the one that its session had
 * last if that is there, or a new one, or waits in line when there are as many as
 * there may be.
 *
 *   backends_find(), backend_want()  -> begin(): the connection is the errand's
 *   errand->upstream                 -> rcpt(), result(), or lost()
 *   errand_end()                     the connection goes back, or ends
 *
 * A connection that was idle and proves dead before the backend has answered
 * anything is replaced once, silently: begin() is called again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_BACKEND_H
#define PROXY_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/tls_client.h"
#include "mail/route.h"
#include "conf/settings.h"
#include "proxy/upstream.h"

enum {
	BACKENDS_BUCKETS = 256,
	BACKEND_ADDRESSES_MAX = 16 /* of a name; further ones are not tried */
};

struct backend_counters {
	uint64_t connections_total, failures;  /* of connections */
	uint64_t waits;                        /* for a connection */
	uint64_t delivered, temporary, failed; /* recipients */
	uint64_t answers, answers_us; /* to messages, and how long they took */
};

struct backend;

struct backends {
	struct loop *loop;
	const struct settings *settings;
	const char *name; /* of ours */
	/* A backend has answered, or could not be reached; NULL: nobody wants
	 * to know. */
	void (*heard)(struct backends *backends, struct backend *backend,
		bool is_good);
	struct tls_client *strict, *lax;

	struct backend *buckets[BACKENDS_BUCKETS];
	size_t connections; /* of all */
	bool is_draining;
};

struct backend_address {
	struct sockaddr_storage address;
	socklen_t length;
};

struct group_backend;

struct backend {
	struct backends *all;
	struct backend *next;
	char *key;
	struct str key_text;
	char *name; /* "10.0.0.1:24", for people */
	char *host; /* "a.example:24" or the same */
	struct upstream_target target;
	/* Tried in order, beginning with the one that was good last. */
	struct backend_address addresses[BACKEND_ADDRESSES_MAX];
	size_t address_count, address_at;
	char *lines;                  /* of a name: as they were told */
	struct group_backend *member; /* proxy/places.c; NULL: of no group */
	struct list idle;    /* struct upstream, the last used one first */
	struct list busy;    /* struct upstream */
	struct list waiting; /* struct errand */
	size_t connections;
	struct backend_counters counters;
};

struct errand {
	/* The owner's. */
	uint32_t session; /* hash */
	uint64_t timeout_ms;
	/* Its connection is ready; begins the transaction. */
	void (*begin)(struct errand *errand);
	void (*rcpt)(struct errand *errand, void *recipient,
		const struct backend_reply *reply);
	void (*result)(struct errand *errand, void *recipient,
		const struct backend_reply *reply);
	/* There is no connection, or none any more: as upstream's gone(). */
	void (*lost)(
		struct errand *errand, const char *words, const char *detail);

	struct backend *backend; /* NULL: it wants none */
	struct upstream *upstream;
	struct list_link in_line;
	struct loop_timer timer; /* waiting in line */
	bool is_second;          /* its first connection was dead */
	size_t tries;            /* addresses that could not be reached */
	bool is_begun;
};

void backends_open(struct backends *backends);
void backends_close(struct backends *backends);
/* Idle connections end, and others when they are not needed any more. */
void backends_drain(struct backends *backends);

/* `addresses`: of a host that has a name, one a line; NULL: route->ip.
 * -1: 4.3.5, that is no address. */
MUST_USE int backends_find(struct backends *backends, const struct route *route,
	const char *addresses, uint32_t came_in_on,
	struct backend **backend_out, struct err *err);

void backend_want(struct backend *backend, struct errand *errand);
/* On a connection of its own, however many there are. */
void backend_probe(struct backend *backend, struct errand *errand);
/* Idle connections end. */
void backend_rest(struct backend *backend);
/* Nothing more is wanted.  What was begun is taken back if it can be. */
void errand_end(struct errand *errand);

#endif
