/* proxywire - what front, master and the proxy say to each other
 *
 * docs/decisions/processes-and-their-wire.md has the conversation.  A recipient of
 * another host is known to the front by its ticket; the route is told to the proxy
 * by master, so that a front cannot name a host.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_PROXYWIRE_H
#define SERVER_PROXYWIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "ipc/frame.h"
#include "server/wire.h"

/* One end of a channel; it takes the place of an earlier one. */
struct wire_proxy_link {
	int fd;
};
void wire_proxy_link(struct frame *frame, struct wire_proxy_link *link);

/* Where the recipient of that ticket lives; good for one RCPT, soon. */
struct wire_proxy_route {
	struct wire_ticket ticket;
	struct str route; /* RECORD's */
};
void wire_proxy_route(struct frame *frame, struct wire_proxy_route *route);

/* A transaction that has, or will have, recipients of other hosts. */
struct wire_proxy_mail {
	uint64_t transaction; /* the front's number */
	const char *session;  /* of the connection: "AqKOK..." */
	const char *id;       /* of the transaction: "AqKOK...:T2" */
	struct str sender;    /* without brackets; empty: null */
	uint64_t size;        /* SIZE=; 0: not told */
	bool is_utf8;
	struct str ret, envid; /* as WIRE_JOB's */
	struct wire_client client;
	uint32_t ttl;        /* how many proxies may still follow */
	uint32_t port;       /* on which the client came in; 0: not over TCP */
	uint64_t timeout_ms; /* of the client's patience; 0: not known */
};
void wire_proxy_mail(struct frame *frame, struct wire_proxy_mail *mail);

struct wire_proxy_rcpt {
	uint64_t transaction;
	uint32_t recipient; /* the front's number */
	struct wire_ticket ticket;
	struct str path;  /* RCPT as given, without brackets */
	struct str orcpt; /* with its type; empty: none */
	struct str notify;
	const char *session; /* "AqKOK...:T2:R3" */
};
void wire_proxy_rcpt(struct frame *frame, struct wire_proxy_rcpt *rcpt);

/* The whole message, for all recipients that were accepted. */
struct wire_proxy_data {
	uint64_t transaction;
	uint64_t deadline_ms;
	uint64_t size;
	int file; /* -1: `message` holds all */
	struct str message;
};
void wire_proxy_data(struct frame *frame, struct wire_proxy_data *data);

/* WIRE_PROXY_END: nothing more is wanted of this transaction; what was not yet
 * handed over is not to be. */
struct wire_proxy_end {
	uint64_t transaction;
};
void wire_proxy_end(struct frame *frame, struct wire_proxy_end *end);

/* To RCPT, and once more for each recipient that was accepted, after DATA. */
struct wire_proxy_answer {
	uint64_t transaction;
	uint32_t recipient;
	bool is_result;
	uint32_t code;  /* the backend's; 0: `err` is ours */
	struct err err; /* ERR_NONE: taken; status and text are the backend's */
	/* A result that is remembered until the client's next command. */
	bool has_handle;
	struct wire_handle handle;
};
void wire_proxy_answer(struct frame *frame, struct wire_proxy_answer *answer);

/* ---- the admin ---- */

enum wire_wish_kind {
	WIRE_WISH_MOVE, /* a user's mail goes to that backend */
	WIRE_WISH_DRAIN /* a backend gets nothing new; value: "yes" */
};
struct wire_proxy_wish {
	enum wire_wish_kind kind;
	const char *name;  /* the user, or the backend as configured */
	const char *value; /* empty: it is taken back */
};
void wire_proxy_wish(struct frame *frame, struct wire_proxy_wish *wish);

/* Groups and backends, a JSON text; when it has changed, at most once a second. */
struct wire_proxy_status {
	struct str json;
};
void wire_proxy_status(struct frame *frame, struct wire_proxy_status *status);

#endif
