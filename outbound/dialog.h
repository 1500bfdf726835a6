/* dialog - lines to and from a server, with TLS or without
 *
 * What is put waits until a reply is wanted, so that commands go out together.
 * Everything ends by one deadline; the server can make us wait no longer and
 * remember no more than one line.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_DIALOG_H
#define OUTBOUND_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/tls_client.h"
#include "outbound/reply.h"

enum { DIALOG_HOST_MAX = 255 };

struct dialog {
	int fd; /* -1: closed */
	struct tls_stream *tls;
	uint64_t until_ms; /* clock_monotonic_ms(); the owner moves it */
	bool is_local;     /* a Unix socket or a loopback address */
	bool is_lost;      /* nothing more can be said over it */
	char host[DIALOG_HOST_MAX + 1];
	char input[REPLY_LINE_MAX];
	size_t from, to; /* what is unread of it */
	struct buf output;
};

/* Connects to "HOST", "HOST:PORT", "[IPv6]:PORT" or "/SOCKET", to each of the
 * host's addresses in turn.  Errors: 4.4.1 nobody answers, 4.4.3 no such host,
 * 4.3.5 that is no place. */
MUST_USE int dialog_open(struct dialog *dialog, const char *place,
	unsigned default_port, uint64_t until_ms, struct err *err);
void dialog_close(struct dialog *dialog);
static inline bool
dialog_is_open(const struct dialog *dialog)
{
	return dialog->fd >= 0;
}

/* What the server said before is forgotten: nobody had vouched for it. */
MUST_USE int dialog_start_tls(
	struct dialog *dialog, struct tls_client *client, struct err *err);

void dialog_put(struct dialog *dialog, struct str bytes);
void dialog_put_format(struct dialog *dialog, const char *format, ...)
	PRINTF_LIKE(2, 3);
MUST_USE int dialog_flush(struct dialog *dialog, struct err *err);

/* Flushes and reads one reply.  `offers`: its lines are EHLO's; NULL: they are
 * not.  Errors: 4.4.2 connection lost or time-out, 4.5.0 no reply of this
 * protocol. */
MUST_USE int dialog_reply(struct dialog *dialog, struct reply *reply,
	struct reply_offers *offers, struct err *err);

/* Has the server said something that nobody asked for, or closed? */
bool dialog_is_quiet(const struct dialog *dialog);

#endif
