/* mbox_text - a message as it stands in an mbox (RFC 4155)
 *
 *   From SENDER  Fri Jul 04 10:00:00 2025 LF    two blanks, local time
 *   header fields LF
 *   Status: RO LF  X-Status: AFTD LF            only for flags
 *   X-IMAPbase: ... X-Keywords: ... LF          only for keywords
 *   LF
 *   body, with ">" before each line "From ", ">From ", ">>From " ... (mboxrd,
 *   so that a reader can take exactly one ">" away again)
 *   LF                                          parts it from the next one
 *
 * SENDER is whom the Return-Path on top names, MAILER-DAEMON when it names
 * nobody.  Lines end in LF.  Left out of the header are the fields in which an
 * mbox keeps its own state: Content-Length, Status, X-Status, X-Keywords, X-UID,
 * X-IMAP, X-IMAPbase and X-Delivery-ID, and lines "From " and ">From " above the
 * message's own fields.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MBOX_TEXT_H
#define STORE_MBOX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "mail/content.h"

enum {
	MBOX_SENDER_MAX = 320,   /* bytes of SENDER; what is longer is cut */
	MBOX_FIELD_NAME_MAX = 80 /* held until it is known what a line is */
};

enum mbox_part { MBOX_ENVELOPE, MBOX_HEADER, MBOX_BODY, MBOX_END };

/* How much of a header line has been seen. */
enum mbox_line { MBOX_LINE_START, MBOX_LINE_KEPT, MBOX_LINE_DROPPED };

struct mbox_text {
	struct content_reader reader;
	const char *from_line;
	unsigned store_flags;
	struct str keyword_lines;
	enum mbox_part part;
	enum mbox_line line;
	bool field_is_dropped; /* its continuations go with it */
	bool is_on_top;        /* no field of the message's own came yet */
	size_t trace_lines;    /* lines to come that were put in front */
	char name[MBOX_FIELD_NAME_MAX];
	size_t name_len;
	/* Bytes of "From " held back at the start of a line; in the middle of a
	 * line -1. */
	int matched;
	char last; /* byte given out */
	struct buf out;
	/* Of the message, without its From line and the line that parts it from
	 * the next. */
	uint64_t size, lines;
};

/* "From SENDER  Fri Jul 04 10:00:00 2025\n" */
void mbox_from_line(
	struct buf *line, const struct content *content, struct tm time);

/* `from_line` is borrowed, and so is the buffer (see content_reader_init()),
 * until mbox_text_clear(). */
void mbox_text_init(struct mbox_text *text, const struct content *content,
	unsigned store_flags, const char *from_line, char *buffer, size_t size);

/* Before the first read: store/mbox_keywords.h; borrowed. */
void mbox_text_set_keywords(struct mbox_text *text, struct str lines);

/* The next bytes, valid until the next call and never empty; LOOKUP_NONE at the
 * end.  Constant memory. */
enum lookup mbox_text_read(
	struct mbox_text *text, struct str *chunk_out, struct err *err);

void mbox_text_clear(struct mbox_text *text);

#endif
