/* reply - what is said to a client, in lines that nobody can break
 *
 * Texts come from us, from a user's script or from a data base.  Whatever is in
 * them, what goes out are lines of at most 512 bytes (RFC 5321 4.5.3.1.5) that all
 * begin with the same code and status (RFC 2034 4), without control characters,
 * and without UTF-8 where the client has not said that it reads that.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LMTP_REPLY_H
#define LMTP_REPLY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
	REPLY_LINE_MAX = 512,   /* bytes, with CR LF */
	REPLY_LINES_MAX = 30,   /* of one reply; the rest is left out */
	REPLY_ADDRESS_MAX = 320 /* bytes of an address in a reply */
};

/* Who a reply is about, and who reads it. */
struct reply_to {
	struct str address; /* empty: nobody */
	bool is_utf8;       /* the client reads UTF-8 */
};

/* "250 2.1.0 OK": a code, maybe a status, a text of one or several lines. */
void reply_add(struct buf *out, const char *reply);

/* "CODE STATUS <ADDRESS> TEXT", the address in the first line. */
void reply_add_to(struct buf *out, const struct reply_to *to, unsigned code,
	const char *status, struct str text);

/* The same for what went wrong: the kind decides over the first digits, whatever
 * the err's status says. */
void reply_add_err(
	struct buf *out, const struct reply_to *to, const struct err *err);

#endif
