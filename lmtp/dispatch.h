/* dispatch - what sessions ask of the other processes
 *
 *   find()     WIRE_RCPT to master, its answer back to the recipient
 *   deliver()  a job for each group of recipients: WIRE_START to master, and when
 *              it has named a worker, WIRE_JOB there; the results back
 *              (or what lmtp/proxied.h says, for recipients of other hosts)
 *   login()    WIRE_LOGIN to master, its answer back
 *   release()  tickets go back, jobs under way are cancelled, late answers have
 *              nobody to reach
 *   confirm()  lmtp/confirm.h
 *
 * The context of a session (session_context()) is its struct dispatch_client.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_DISPATCH_H
#define LMTP_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/loop.h"
#include "base/table.h"
#include "ipc/channel.h"
#include "ipc/link.h"
#include "conf/conf.h"
#include "server/wire.h"
#include "lmtp/confirm.h"
#include "lmtp/counters.h"
#include "lmtp/proxied.h"
#include "lmtp/session.h"
#include "lmtp/spool.h"

enum {
	/* A worker may be that late with its result, in ms. */
	DISPATCH_GRACE_MS = 5000,
	/* XCLIENT TIMEOUT: we give up that much earlier than the client. */
	DISPATCH_EARLIER_MS = 1000
};

struct dispatch_transaction;
struct dispatch_login;

/* Embedded in what owns a session. */
struct dispatch_client {
	struct dispatch *dispatch;
	struct session *session;
	struct dispatch_transaction *transaction; /* NULL: none */
	struct dispatch_login *login;             /* NULL: none */
	bool is_delivered; /* dispatch_settle() tells the session */
	struct confirm_client confirm;
};

struct dispatch {
	struct loop *loop;
	struct arena *arena; /* of received frames */
	uint64_t delivery_timeout_ms;
	uint64_t login_timeout_ms, login_delay_ms; /* of what failed */
	struct spool_budget *budget;
	uint64_t tls_memory_limit;
	struct counters *counters;
	struct link *master; /* the front's */
	/* There is something for this client; it calls dispatch_settle() when
	 * this round is over. */
	void (*wake)(struct dispatch_client *client);

	struct confirm confirm;
	struct proxied proxied;
	uint64_t last_number;  /* of requests and jobs */
	struct table requests; /* struct request: not yet answered */
	struct table logins;   /* struct dispatch_login: the same */
	struct table jobs;     /* struct job: not yet done */
	struct table workers;  /* struct worker */
	struct wire_ticket *released;
	size_t released_count, released_size;
};

/* For struct session_config. */
extern const struct session_events dispatch_events;

/* What stands before `confirm` is set already. */
void dispatch_open(struct dispatch *dispatch);
void dispatch_close(struct dispatch *dispatch);

/* WIRE_RCPT_ANSWER, WIRE_LOGGED_IN, WIRE_ASSIGNED, WIRE_WORKER,
 * WIRE_STATE_LINK, WIRE_PROXY_LINK; false: the frame
 * makes no sense, or is another one. */
bool dispatch_received(struct dispatch *dispatch, struct frame *frame);

/* Tell the session what came in for it. */
void dispatch_settle(struct dispatch_client *client);
/* The session was closed. */
void dispatch_forget(struct dispatch_client *client);

/* Once in each round: what was gathered goes out. */
void dispatch_after_round(struct dispatch *dispatch);

#endif
