/* transfer - content transfer encodings (RFC 2045 6), read tolerantly
 *
 * Whatever comes in, something comes out: what is no base64 is left out, what is
 * no quoted-printable stays as it is.  Works on pieces of any length; a piece
 * may end anywhere.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

enum transfer_encoding {
	TRANSFER_IDENTITY, /* 7bit, 8bit, binary, or nothing was said */
	TRANSFER_BASE64,
	TRANSFER_QUOTED_PRINTABLE,
	TRANSFER_UNKNOWN /* some other name; bytes are left as they are */
};

/* The value of Content-Transfer-Encoding; case, comments and what stands behind
 * the name do not matter. */
enum transfer_encoding transfer_find(struct str value);

struct transfer {
	enum transfer_encoding encoding;
	bool ends_lines; /* LF alone becomes CR LF, where a line end is one */
	unsigned bits;   /* base64: not yet out */
	unsigned count;  /* of those bits */
	int state;       /* quoted-printable: what has been read */
	char digit;      /* its first hexadecimal digit */
	size_t tail;     /* bytes at the end of the output that vanish
	                  * when the line ends here */
	bool is_soft;    /* the line end vanishes with them */
	bool after_cr;
};

void transfer_init(struct transfer *transfer, enum transfer_encoding encoding,
	bool ends_lines);

/* Decodes a piece and adds it to the buf, which has to be the same for all pieces
 * and may not be changed between them.  Never adds more than twice the bytes of
 * the piece and three. */
void transfer_add(struct transfer *transfer, struct str piece, struct buf *out);

/* Behind the last piece. */
void transfer_end(struct transfer *transfer, struct buf *out);

/* All three for bytes that are at hand. */
void transfer_decode(enum transfer_encoding encoding, struct str bytes,
	bool ends_lines, struct buf *out);

#endif
