/* mime - the parts of a message (RFC 2045, 2046)
 *
 *   0 multipart/mixed           header body prologue ... epilogue end
 *   1   multipart/alternative
 *   2     text/plain
 *   3     text/html
 *   4   message/rfc822          its body is the nested message
 *   5     text/plain            header = that of the nested message
 *
 * One pass over the bytes, which may lie in a file; only the parts are held, in
 * the order in which they stand.  Offsets count as the source does.
 *
 * Reading is tolerant: boundaries that are never closed end with what is around
 * them, and a multipart without a boundary is one whole.  What is beyond a limit
 * belongs to the last part before it, so nothing is hidden.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/content.h"
#include "mail/message.h"
#include "mail/transfer.h"

/* Where the bytes are. */
struct mime_source {
	const void *object;
	uint64_t start, end;
	/* As message_view() and message_read(). */
	bool (*view)(const void *object, uint64_t from, uint64_t to,
		struct str *view_out);
	ssize_t (*read)(const void *object, void *bytes, size_t size,
		uint64_t offset, struct err *err);
};

/* Borrows the message. */
struct mime_source mime_source_message(const struct message *message);

/* A message that was changed; offsets count its own bytes, from 0.  Borrows the
 * content; what it adds lives in the arena. */
struct mime_source mime_source_content(
	struct arena *arena, const struct content *content);

/* Calls `take` with the bytes of [from, to), piece by piece, in order, until it
 * says false.  -1 when they cannot be read. */
MUST_USE int mime_source_each(const struct mime_source *source, uint64_t from,
	uint64_t to, bool (*take)(void *context, struct str piece),
	void *context, struct err *err);

/* Zero means the default that stands behind each. */
struct mime_limits {
	size_t parts; /* 10,000 */
	size_t depth; /* parts within parts; 100 */
};

/* Bytes of a field Content-... that are read. */
enum { MIME_FIELD_MOST = 64 * 1024 };

struct mime_part {
	uint64_t header;     /* the header's first byte */
	uint64_t header_end; /* without the empty line */
	uint64_t body;       /* behind it */
	uint64_t end; /* without the line end that belongs to a boundary */

	/* Multiparts: [body, prologue_end), and [epilogue, end) when there is a
	 * closing boundary. */
	uint64_t prologue_end;
	uint64_t epilogue;
	bool has_epilogue;

	bool has_body;     /* there is an empty line */
	bool is_multipart; /* says so; it may yet have no parts */
	bool is_message;   /* message/rfc822 or message/global, and divided */

	/* Lower case; what the default is where nothing was said (RFC 2045 5.2,
	 * RFC 2046 5.1.5). */
	struct str type, subtype;
	struct str charset; /* empty when there is none */
	enum transfer_encoding encoding;

	size_t parent; /* the first part is its own */
	size_t depth;  /* 0, 1 ... */
	size_t next;   /* the first one that is not inside of it */
};

struct mime {
	const struct mime_part *parts; /* one at least */
	size_t count;
	bool is_cut;   /* a limit was reached */
	uint64_t work; /* what the reading cost: lines, steps of searches */
};

/* -1 with the source's error when it cannot be read. */
MUST_USE int mime_parse(struct arena *arena, const struct mime_source *source,
	const struct mime_limits *limits, struct mime **mime_out,
	struct err *err);

#endif
