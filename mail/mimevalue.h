/* mimevalue - Content-Type and Content-Disposition (RFC 2045 5, 2183, 2231)
 *
 *   text/plain; charset="utf-8"; name*0*=iso-8859-1''caf%E9; name*1=".txt"
 *
 * Read tolerantly: comments, missing semicolons, blanks and tspecials in values
 * without quotes.  Values in pieces are joined and values in a charset are UTF-8.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_MIMEVALUE_H
#define MAIL_MIMEVALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

/* Further parameters of a field, and pieces of them, are not read. */
enum { MIMEVALUE_PIECES_MOST = 500 };

struct mime_parameter {
	struct str name;
	struct str value; /* without quotes; UTF-8 when it had a charset */
	bool had_charset; /* RFC 2231: no encoded words are left in it */
};

struct mimevalue {
	struct str type;    /* "text", or "attachment"; may be empty */
	struct str subtype; /* behind the slash; empty without one */
	const struct mime_parameter *parameters; /* each name once */
	size_t count;
};

/* `value` is a field's raw value.  The result lives in the arena or points into
 * `value`. */
void mimevalue_parse(
	struct arena *arena, struct str value, struct mimevalue *mimevalue_out);

/* The parameter of that name, NULL when there is none. */
const struct mime_parameter *mimevalue_find(
	const struct mimevalue *mimevalue, struct str name);

/* The parameter's value as people read it: encoded words, which many senders
 * write against RFC 2047 5, are decoded. */
struct str mime_parameter_text(
	struct arena *arena, const struct mime_parameter *parameter);

#endif
