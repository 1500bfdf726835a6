/* client - one connection to a backend: what is said there, without I/O
 *
 * The owner feeds what the backend sends and writes what comes out; it tells of
 * what it has written, so that no answer can belong to a later command.
 *
 *   client_open()      greeting, EHLO or LHLO, STARTTLS  -> ready()
 *   client_mail()      a transaction begins: XCLIENT where it is wanted, MAIL
 *   client_rcpt()      -> rcpt(), in order
 *   client_data()      -> client_wants_body(); client_body(), client_body_end()
 *                      -> result() for each recipient that was accepted, in order
 *                      -> ready()
 *   client_reset()     the transaction ends before that  -> ready()
 *
 * Commands go out together where the backend offers that (RFC 2920), else one by
 * one.  What it says is not trusted: an answer that nobody waits for, one that is
 * none, or has no end, and 421 at any time end the connection: failed().  After
 * failed() nothing is called any more.  Calls come from client_input() and
 * client_tls_started() only.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/str.h"
#include "mail/route.h"
#include "outbound/reply.h"
#include "proxy/reply.h"

enum client_failure {
	CLIENT_LOST,     /* "connection lost": closed, or about to (421) */
	CLIENT_BAD,      /* "bad reply" */
	CLIENT_UNWILLING /* "refused": greeting, LHLO, STARTTLS, XCLIENT */
};

struct client;

struct client_events {
	/* A transaction may begin. */
	void (*ready)(struct client *client);
	/* The answer to STARTTLS: shake hands, then client_tls_started(). */
	void (*starttls)(struct client *client);
	void (*rcpt)(struct client *client, void *recipient,
		const struct backend_reply *reply);
	void (*result)(struct client *client, void *recipient,
		const struct backend_reply *reply);
	void (*failed)(struct client *client, enum client_failure failure,
		const char *detail);
};

/* What XCLIENT tells; empty texts are not told. */
struct client_origin {
	struct str session;
	struct str ip;
	uint32_t port;
	struct str helo;
	struct str login;
	struct str protocol; /* "LMTP", "ESMTP" */
	uint32_t ttl;
	uint64_t timeout_s;
};

struct client_mail {
	struct str sender; /* without brackets */
	uint64_t size;     /* 0: not told */
	bool is_utf8;
	struct str ret, envid;
	/* NULL: XCLIENT is not spoken. */
	const struct client_origin *origin;
};

struct client_rcpt {
	struct str path; /* without brackets */
	struct str orcpt, notify;
	struct str forward; /* base64, of XRCPTFORWARD; empty: nothing */
	void *recipient;    /* for the calls */
};

/* What the backend has offered. */
struct client_offers {
	struct reply_offers plain;
	bool chunking;
	bool forward; /* XRCPTFORWARD, as Dovecot has it */
	bool xclient; /* with its names: */
	bool x_session, x_addr, x_port, x_helo, x_login, x_proto, x_ttl,
		x_timeout;
};

struct expectation;

struct client {
	/* The owner's; before client_open(). */
	const struct client_events *events;
	const char *name; /* of ours, for LHLO */
	enum route_protocol protocol;
	bool starts_tls; /* STARTTLS has to be had */
	bool pipelines;  /* unless the record forbids it */

	struct buf output; /* to be written, from `written`: client_wrote() */
	size_t written;
	uint64_t dropped; /* of the output, when it had been written */

	struct client_offers offers;
	bool is_ready; /* between two transactions */
	bool has_failed;
	bool has_answered; /* something, since client_mail() */
	bool is_secured;

	struct buf commands; /* not yet to be written */
	struct expectation *expected;
	size_t first, sent, count, size; /* of `expected` */
	struct backend_reply reply;
	char line[REPLY_LINE_MAX];
	size_t line_len;
	bool is_line_asked; /* when it began, its command had been written */

	struct buf origin; /* the XCLIENT line that counts now */
	bool has_mail_failed;
	struct backend_reply mail_reply; /* then */
	bool is_in_transaction;
	bool wants_body, is_body_done;
	uint64_t chunk_left; /* of BDAT */
	bool is_chunked;
	char last[2]; /* bytes of the body, as written */
	bool is_line_start;
	void **accepted; /* recipients, in order */
	size_t accepted_count, accepted_size;
};

/* Greeting and all that follows is waited for. */
void client_open(struct client *client);
void client_close(struct client *client);

void client_input(struct client *client, struct str bytes);
/* So many bytes more of `output` have left.  What is answered before that is
 * answered too early. */
void client_wrote(struct client *client, size_t count);
/* The backend has closed, or the connection is broken. */
void client_lost(struct client *client, const char *detail);
void client_tls_started(struct client *client);

/* Only when it is ready. */
void client_mail(struct client *client, const struct client_mail *mail);
void client_rcpt(struct client *client, const struct client_rcpt *rcpt);
/* All RCPTs are answered, and at least one was accepted. */
void client_data(struct client *client, uint64_t size);
/* Some answer is still to come. */
bool client_is_waiting(const struct client *client);
static inline bool
client_wants_body(const struct client *client)
{
	return client->wants_body && !client->is_body_done;
}
/* Bytes of the message as they came in; client_body_end() behind the last ones. */
void client_body(struct client *client, struct str bytes);
void client_body_end(struct client *client);
/* Whether it can be used again after that: not within a message. */
MUST_USE bool client_reset(struct client *client);
/* Good-bye; nothing is waited for. */
void client_quit(struct client *client);
/* Would client_mail() with that origin need XCLIENT? */
bool client_knows(
	const struct client *client, const struct client_origin *origin);

#endif
