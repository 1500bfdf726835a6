/* upstream - a connection to a backend, in the event loop
 *
 * Socket, TLS and time-outs around a client (proxy/client.h).  Where it ends, for
 * whatever reason, gone() is called once, from the loop; the owner then closes it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/tls_client.h"
#include "proxy/body.h"
#include "proxy/client.h"

enum upstream_state {
	UPSTREAM_CONNECTING,
	UPSTREAM_SHAKING, /* hands, for TLS */
	UPSTREAM_TALKING,
	UPSTREAM_GONE
};

/* Where to, and how. */
struct upstream_target {
	struct sockaddr_storage address;
	socklen_t length;
	struct sockaddr_storage source;
	socklen_t source_length; /* 0: any */
	const char *host;        /* whose name the certificate has */
	enum route_protocol protocol;
	enum route_tls tls;
	struct tls_client *trust; /* NULL: none is needed */
	bool no_pipelining;
};

struct upstream {
	/* The owner's, before upstream_open(). */
	struct loop *loop;
	const char *name; /* for LHLO */
	uint64_t timeout_ms;
	/* client.events' of the same names. */
	void (*ready)(struct upstream *upstream);
	void (*rcpt)(struct upstream *upstream, void *recipient,
		const struct backend_reply *reply);
	void (*result)(struct upstream *upstream, void *recipient,
		const struct backend_reply *reply);
	/* `words`: "connect", "connection lost", "bad reply", "timed out". */
	void (*gone)(struct upstream *upstream, const char *words,
		const char *detail);

	const struct upstream_target *target;
	enum upstream_state state;
	bool has_connected;
	struct client client;
	int fd;
	struct loop_watch watch;
	struct loop_timer timer; /* of what is waited for */
	struct loop_timer end;   /* gone() is due */
	struct tls_stream *tls;
	bool is_reading; /* within client_input() */
	struct body *body;
	uint64_t body_at;
	const char *words;
	char detail[512];

	/* The pool's. */
	struct list_link in_pool;
	void *owner, *user;
	uint64_t transactions;
	size_t address;   /* which of its backend's */
	uint32_t session; /* hash of the last one */
	struct loop_timer idle_timer;
};

/* Begins to connect; what goes wrong comes by gone(). */
void upstream_open(
	struct upstream *upstream, const struct upstream_target *target);
/* Says nothing any more. */
void upstream_close(struct upstream *upstream);

/* After calls of client_*(): what they have put out is written, and the time-out
 * begins. */
void upstream_flush(struct upstream *upstream);
/* Between two transactions: whether nothing came that nobody asked for, which
 * would be taken for the answer to what is said next.  Else gone() comes. */
MUST_USE bool upstream_is_quiet(struct upstream *upstream);
/* All RCPTs are answered: hands over the message. */
void upstream_send(struct upstream *upstream, struct body *body);
/* Nothing was sent behind the message yet that would make it a delivery. */
bool upstream_can_abandon(const struct upstream *upstream);

#endif
