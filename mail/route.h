/* route - whether a user's mail is filed here, and where to if not
 *
 * What the user record says in the fields of Dovecot's proxies:
 *
 *   proxy[=y]           the mail goes on to `host`
 *   proxy_maybe[=y]     the same, unless host:port is this server itself
 *   host=NAME           a name, an address, or the name of a group of backends
 *   hostip=ADDRESS      where NAME is, so that nobody has to look
 *   port=N              else that which the client came in on, or 24; 25 for SMTP
 *   protocol=lmtp|smtp
 *   ssl=yes|any-cert, starttls=yes|any-cert
 *   proxy_timeout=N     seconds, or with a unit
 *   destuser=ADDRESS    the recipient as the backend is told
 *   source_ip=ADDRESS   of our side of the connection
 *   proxy_nopipelining, proxy_not_trusted
 *   nologin             refused; with `host` the refusal says where to go
 *   forward_NAME=VALUE  told to the backend
 *
 * Nothing is guessed: a field with a value that makes no sense is a temporary
 * failure, as mail at the wrong place is worse than late mail.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_ROUTE_H
#define MAIL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	ROUTE_HOST_MAX = 255,              /* bytes of a name */
	ROUTE_USER_MAX = 512,              /* of destuser */
	ROUTE_FORWARD_MAX = 4096,          /* of all names and values */
	ROUTE_FORWARD_COUNT_MAX = 100,     /* forward_ fields */
	ROUTE_TIMEOUT_MAX_MS = 3600 * 1000 /* proxy_timeout */
};

enum route_kind {
	ROUTE_LOCAL,  /* filed here */
	ROUTE_PROXY,  /* goes on to another host */
	ROUTE_NOLOGIN /* refused; route_refusal() */
};

enum route_protocol { ROUTE_LMTP, ROUTE_SMTP };

enum route_tls { ROUTE_TLS_NONE, ROUTE_TLS_STARTTLS, ROUTE_TLS_IMPLICIT };

struct route_pair {
	struct str name, value;
};

struct route {
	enum route_kind kind;
	bool is_maybe;    /* filed here if host:port is ourselves */
	bool is_self;     /* host:port is ourselves: a loop */
	const char *host; /* NULL: none; never for ROUTE_PROXY */
	const char *ip;   /* hostip, or `host` where that is an address; NULL:
	                    * to be looked up */
	uint32_t port;    /* 0: the record does not say; route_port() */
	enum route_protocol protocol;
	enum route_tls tls;
	bool any_cert;              /* the certificate is not looked at */
	bool no_pipelining;         /* one command at a time */
	bool not_trusted;           /* no XCLIENT there */
	uint64_t timeout_ms;        /* 0: the record does not say */
	const char *destuser;       /* NULL: as the client has named it */
	const char *source_ip;      /* NULL: any */
	struct route_pair *forward; /* names without "forward_" */
	size_t forward_count;
};

/* Is this one of the fields above? */
bool route_is_field(struct str name);

/* Reads the fields of a record; others are not looked at.  What the route holds
 * lives in the arena.  -1: 4.3.5 with a detail that begins with `origin`. */
MUST_USE int route_read(struct arena *arena, const struct route_pair *fields,
	size_t count, const char *origin, struct route *route_out,
	struct err *err);

/* Where to connect to: the record's port, or `came_in_on` (0: not over TCP), or
 * that of the protocol. */
uint32_t route_port(const struct route *route, uint32_t came_in_on);

/* The refusal of ROUTE_NOLOGIN; `user` is the user's name.  Returns -1. */
int route_refusal(const struct route *route, const char *user, struct err *err);

/* An IPv4 or IPv6 address, without brackets. */
bool route_is_address(const char *text);

#endif
