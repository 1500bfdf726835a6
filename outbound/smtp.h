/* smtp - a session with a server that takes mail, SMTP or LMTP
 *
 *   smtp_open()   connects, greets, starts TLS, authenticates
 *   smtp_send()   one message, as often as the connection lasts
 *   smtp_close()  QUIT
 *
 * RFC 5321, 2033, 2920 (PIPELINING), 1870 (SIZE), 6152 (8BITMIME), 6531
 * (SMTPUTF8), 3461 (DSN), 2852 (DELIVERBY), 3207 and 8314 (TLS), 4954 (AUTH).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_SMTP_H
#define OUTBOUND_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "outbound/dialog.h"
#include "outbound/outbound.h"

enum {
	SMTP_PORT = 25,
	SMTP_SUBMISSIONS_PORT = 465,
	LMTP_PORT = 24,
	SMTP_MESSAGES_MAX = 100, /* over one connection */
	SMTP_REFUSED_MAX = 3     /* messages in a row */
};

struct smtp {
	const struct outbound_relay *relay; /* the caller's */
	struct tls_client *trust;           /* NULL until TLS is wanted */
	struct dialog dialog;
	struct reply_offers offers;
	unsigned messages; /* sent over this connection */
	unsigned refused;  /* of them, since one was taken */
	bool is_open;
	bool had_data; /* the last message: at least DATA was said */
};

/* Nothing is connected yet.  `relay` is borrowed. */
void smtp_init(struct smtp *smtp, const struct outbound_relay *relay);

/* Hands the message to all recipients; opens a connection where there is none, or
 * where the old one is of no use any more.  Where a recipient is refused for now
 * nothing is sent to anybody: the retry would give the others a further copy.
 *
 * results: one for each recipient.  ERR_NONE: the server has taken it; ERR_REFUSED:
 * it said that it never will; else temporary. */
void smtp_send(struct smtp *smtp, const struct outbound_mail *mail,
	uint64_t until_ms, struct err *results);

/* Is it worth keeping? */
bool smtp_is_open(const struct smtp *smtp);

/* QUIT, which waits for no answer. */
void smtp_close(struct smtp *smtp);
/* The same, and everything is given back. */
void smtp_clear(struct smtp *smtp);

/* ---- lmtp.c: what LMTP has of its own (RFC 2033) ---- */

/* After the final dot each recipient that was accepted has a reply. */
MUST_USE int lmtp_read_results(struct smtp *smtp,
	const struct outbound_mail *mail, struct err *results, struct err *err);

#endif
