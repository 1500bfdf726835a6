/* reply - what a backend answers, kept as it came
 *
 * As outbound/reply.h, whose parser it is, but with the lines of the text, as they
 * are passed on to the client.  What is too long is cut, what has no end is broken.
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_REPLY_H
#define PROXY_REPLY_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "outbound/reply.h"

struct backend_reply {
	unsigned code;
	char status[12]; /* empty: none was given */
	char text[2000]; /* lines with LF between; printable UTF-8 */
	size_t text_len;
	unsigned lines; /* so far */
};

void backend_reply_begin(struct backend_reply *reply);
/* `line` without its line end. */
MUST_USE enum reply_step backend_reply_line(
	struct backend_reply *reply, struct str line);

static inline bool
backend_reply_is_good(const struct backend_reply *reply)
{
	return reply->code >= 200 && reply->code < 300;
}

/* Status and text; ERR_NONE for a good one. */
void backend_reply_err(const struct backend_reply *reply, struct err *err);

#endif
