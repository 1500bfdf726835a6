/* proxied - recipients of other hosts, as the front sees them
 *
 * What is said to the process proxy for them (server/proxywire.h), and what it
 * answers.  Every recipient gets its answers: when the proxy dies, or is late,
 * these are temporary failures.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_PROXIED_H
#define LMTP_PROXIED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/loop.h"
#include "base/table.h"
#include "ipc/frame.h"
#include "ipc/link.h"
#include "server/wire.h"
#include "lmtp/session.h"

struct proxied_transaction;

struct proxied {
	struct loop *loop;
	struct arena *arena; /* of received frames */
	/* The answer to RCPT: recipient->result.code, if that is another
	 * host's, and `err`. */
	void (*found)(
		struct session_recipient *recipient, const struct err *err);
	/* recipient->result is filled. */
	void (*result)(struct session_recipient *recipient);

	struct link link; /* the proxy's */
	uint64_t last_number;
	struct table transactions; /* struct proxied_transaction */
};

/* No transaction is left. */
void proxied_close(struct proxied *proxied);
/* WIRE_PROXY_LINK; false: it makes no sense. */
bool proxied_link(struct proxied *proxied, struct frame *frame);

/* Master has said that the recipient lives elsewhere.  *transaction is that of
 * the session, NULL before the first call; it lives in the session's arena of the
 * transaction. */
void proxied_rcpt(struct proxied *proxied,
	struct proxied_transaction **transaction,
	struct session_recipient *recipient, const struct wire_ticket *ticket);
/* The message is whole: result() for each that was accepted. */
void proxied_deliver(
	struct proxied_transaction *transaction, uint64_t deadline_ms);
/* Some result is still to come. */
bool proxied_is_waiting(const struct proxied_transaction *transaction);
/* The transaction is over; `transaction` may be NULL. */
void proxied_release(struct proxied_transaction *transaction);

#endif
