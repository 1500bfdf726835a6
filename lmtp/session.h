/* session - one client's conversation: bytes in, bytes out, no I/O
 *
 * The front feeds what a client sends and writes what the session replies; the
 * session asks the front, through struct session_events, for what takes time:
 *
 *   RCPT      find()     -> session_found()
 *   AUTH      login()    -> session_logged_in()
 *   the dot   deliver()  -> session_delivered()
 *   a command after the replies to a message
 *             confirm()  -> session_confirmed()
 *
 * While it waits it consumes no input (but for further RCPTs of a pipeline, which
 * are asked about all at once; and for MAIL and RCPT while it waits for confirm(),
 * whose replies come after that).  Replies come out in the order of the commands
 * whatever order the answers come in.
 *
 * States and commands are a table in session.c (RFC 2033, 5321); cases for every
 * cell are in tests/lmtp.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_SESSION_H
#define LMTP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/address.h"
#include "conf/conf.h"
#include "server/wire.h"
#include "lmtp/command.h"
#include "lmtp/spool.h"

/* Who is at the other end; XCLIENT of a trusted peer changes what is told of it. */
struct session_peer {
	bool is_inet; /* else a Unix socket or pipes: "local" */
	char ip[64];  /* empty when not is_inet */
	uint32_t port;
	uint32_t own_port; /* on which it came in; 0: not known */
	bool is_trusted;   /* may use XCLIENT, XFORWARD and IGNOREQUOTA */
	/* STARTTLS is offered. */
	bool may_start_tls;
	/* No mail in the clear. */
	bool needs_tls;
};

enum session_recipient_state {
	SESSION_ASKED,    /* find() was called */
	SESSION_ACCEPTED, /* 250; gets a reply after the message */
	SESSION_REFUSED
};

struct session_recipient {
	struct session *session;
	size_t place; /* in transaction->recipients, order of RCPT */
	struct address address;
	struct str original; /* ORCPT, decoded; empty: none */
	struct str orcpt;    /* the same with its type */
	struct str notify;   /* NOTIFY; empty: none */
	bool ignores_quota;
	const char *id; /* "AqKOK...:T2:R3" */
	enum session_recipient_state state;
	/* A duplicate: the earlier recipient of the same address, whose reply it
	 * shares.  NULL: none. */
	struct session_recipient *twin;

	/* Filled by session_found(). */
	struct wire_ticket ticket;
	uint32_t group;
	bool is_proxied; /* the front's: lives on another host */

	/* Filled by session_delivered(). */
	struct wire_recipient_result result;
	void *host; /* the front's */
};

/* From MAIL to its end. */
struct session_transaction {
	struct arena *arena;
	unsigned number; /* 1, 2 ... in this session */
	const char *id;  /* "AqKOK..." or "AqKOK...:T2" */
	struct address sender;
	uint64_t size;                         /* SIZE=; 0 = not told */
	bool is_utf8;                          /* SMTPUTF8 */
	struct str ret, envid;                 /* RET, ENVID; empty: none */
	struct session_recipient **recipients; /* in order, refused ones too */
	size_t count, accepted;
	struct spool *spool; /* from DATA on */
};

/* Rows of the table; between the reply to DATA and the end of the message there
 * are no commands. */
enum session_state {
	SESSION_GREETING, /* before LHLO */
	SESSION_READY,
	SESSION_MAIL,   /* in a transaction that has nobody accepted */
	SESSION_RCPT,   /* somebody is accepted */
	SESSION_CHUNKS, /* and a part of the message has come */
	SESSION_STATES
};

struct session_events {
	/* Ask who lives there.  session_found() may be called at once. */
	void (*find)(
		struct session *session, struct session_recipient *recipient);
	/* The message is whole: deliver it to all accepted recipients that have
	 * no twin.  session_delivered() once all their results are filled. */
	void (*deliver)(struct session *session);
	/* The transaction is over, delivered or not: answers to find() and
	 * deliver() that are still to come must not reach it. */
	void (*release)(struct session *session);
	/* Is this somebody's password?  session_logged_in() may be called at
	 * once; the texts are gone then.  NULL: AUTH PLAIN is not offered. */
	void (*login)(
		struct session *session, struct str name, struct str password);
	/* The client has read these results: forget them, then
	 * session_confirmed(). */
	void (*confirm)(struct session *session,
		const struct wire_handle *handles, size_t count);
	/* This RCPT is about to be refused, with recipient->result.err; for the
	 * log.  May be NULL. */
	void (*refused)(struct session *session,
		const struct session_recipient *recipient);
	/* A message that has come is refused, or could not be kept, without
	 * deliver(); for the log.  May be NULL. */
	void (*not_taken)(struct session *session, const struct err *err);
	/* A transaction has begun whose client has told by XFORWARD where the
	 * mail comes from: the same in Postfix's words, for the log.  May be
	 * NULL. */
	void (*forwarded)(struct session *session, const char *origin);
	/* Could TLS begin?  NULL: always. */
	bool (*has_room_for_tls)(struct session *session);
	/* A command is carried out, or refused, in this state: for counters and
	 * tests.  May be NULL. */
	void (*command)(struct session *session, enum session_state state,
		enum command_verb verb);
};

struct session_config {
	const struct settings *settings;
	struct spool_budget *budget;
	const struct session_events *events;
	const char *hostname;
};

/* What SIZE offers, and what a spool_budget has to have as message_max: the
 * smallest of the limits that are set; 0 = none. */
uint64_t session_message_max(const struct settings *settings);

struct session;

/* The greeting is in session_output() then.  `id` is the new session's (22
 * characters); `context` is the front's. */
struct session *session_open(const struct session_config *config,
	const struct session_peer *peer, const char *id, void *context);
/* Calls release() when there is a transaction. */
void session_close(struct session **session);

void *session_context(const struct session *session);
const char *session_id(const struct session *session); /* XCLIENT changes it */
const struct session_peer *session_peer(const struct session *session);
struct session_transaction *session_transaction(struct session *session);
/* helo, protocol ... for the job. */
void session_client(const struct session *session, struct wire_client *client);
/* How many proxies may still follow, by XCLIENT TTL. */
uint32_t session_ttl(const struct session *session);
/* How long the client waits for a reply, by XCLIENT TIMEOUT; 0 = not told. */
uint64_t session_timeout_ms(const struct session *session);
/* GREETING, READY, MAIL FROM, RCPT TO, DATA: for logs (reference 2.5). */
const char *session_state_name(const struct session *session);
/* The command whose line is not yet complete, or whose reply is not yet there; ""
 * when there is none. */
const char *session_unfinished(const struct session *session);
/* Why the session ended: "Logged out", "Too many invalid commands." ... NULL while
 * it goes on. */
const char *session_end_reason(const struct session *session);

/* Takes as much of `input` as it can; returns how much.  Less than all: it waits
 * for an answer, or for the rest of a line, or has ended.  A line longer than the
 * limits is taken and answered. */
size_t session_input(struct session *session, struct str input);
/* What is to be written to the client; the front takes it (buf_reset()). */
struct buf *session_output(struct session *session);
/* STARTTLS was answered: once that has left, and nothing else, a handshake follows.
 * Nothing is taken until then. */
bool session_wants_tls(const struct session *session);
/* The handshake is done: what was said in the clear is forgotten (RFC 3207 4.2).
 * `description` is for Received and logs, `login` whom the client's certificate
 * names, or "". */
void session_tls_started(
	struct session *session, const char *description, const char *login);
/* Before anything was taken: who the client really is. */
void session_set_peer(struct session *session, const struct session_peer *peer);
/* The same, and it may not come in: this, and nothing else, is what it reads. */
void session_turn_away(struct session *session, const char *reply);
/* All output has left; what comes in beyond this many bytes of input since the
 * beginning of the session was sent by a client that could read it. */
void session_output_left(struct session *session, uint64_t received);
/* The client's system had not even received all of our output when it sent the
 * last of these bytes of input: no proof before the next ones. */
bool session_awaits_proof(const struct session *session);
void session_not_read(struct session *session, uint64_t received);
/* Bytes it holds beside the message. */
size_t session_memory(const struct session *session);
/* It waits for find(), login(), deliver() or confirm().  Of its input it takes only further
 * RCPTs then; after an answer the rest has to be offered to session_input()
 * again. */
bool session_is_waiting(const struct session *session);
/* It waits for deliver(). */
bool session_is_delivering(const struct session *session);
/* A transaction is under way: a drain lets it finish. */
bool session_has_transaction(const struct session *session);

/* err ERR_NONE: accepted.  Else ERR_NO_USER, ERR_OVER_QUOTA, ERR_TOO_BIG,
 * ERR_TEMPORARY; with recipient->result.code the words of another host. */
void session_found(struct session_recipient *recipient, const struct err *err,
	const struct wire_ticket *ticket, uint32_t group);
void session_delivered(struct session *session);
/* `name`: YES: what the data base calls the user. */
void session_logged_in(
	struct session *session, enum wire_login_state state, const char *name);
void session_confirmed(struct session *session);

/* 421 with this reason and the end, now or as soon as the replies to a message are
 * out: "4.4.2 Disconnected for inactivity", "4.3.2 Server shutting down". */
void session_end(struct session *session, const char *reply);

#endif
