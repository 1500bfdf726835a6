/* reply - what an SMTP or LMTP server answers (RFC 5321 4.2, RFC 2034)
 *
 *   250-5.1.0 first line        every line but the last one has "-"
 *   250 5.1.0 last line
 *
 * The server is not trusted: a line has a maximum that its reader keeps, a reply
 * has one here, and what a reply says is fit for a log and for a peer.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OUTBOUND_REPLY_H
#define OUTBOUND_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	REPLY_LINE_MAX = 4096, /* bytes; RFC 5321 4.5.3.1.5 has 512 */
	REPLY_LINES_MAX = 200,
	REPLY_TEXT_MAX = 400 /* bytes that are kept of it */
};

struct reply {
	unsigned code;                 /* 200 to 599 */
	char status[12];               /* RFC 3463; empty: none was given */
	char text[REPLY_TEXT_MAX + 1]; /* one line, printable UTF-8 */
	size_t text_len;
	unsigned lines; /* so far */
};

enum reply_step {
	REPLY_MORE,  /* a further line follows */
	REPLY_DONE,  /* that was the last one */
	REPLY_BROKEN /* no reply of this protocol, or one without an end */
};

void reply_begin(struct reply *reply);
/* `line` without its line end. */
MUST_USE enum reply_step reply_line(struct reply *reply, struct str line);

static inline bool
reply_is_good(const struct reply *reply)
{
	return reply->code >= 200 && reply->code < 300;
}

/* The reply as an error: 5xx is ERR_REFUSED, anything else temporary; its status
 * fits the kind whatever the server said.  `what` was asked: "RCPT TO". */
int reply_err(const struct reply *reply, const char *peer, const char *what,
	struct err *err);

/* What the answer to EHLO or LHLO offers. */
struct reply_offers {
	bool pipelining;
	bool eightbitmime;
	bool smtputf8;
	bool dsn;
	bool deliverby;
	bool starttls;
	bool auth_plain, auth_login;
	bool has_size;
	uint64_t size; /* 0: no limit was told */
};

/* One line of that answer; unknown keywords are nothing. */
void reply_offer(struct reply_offers *offers, struct str line);

#endif
