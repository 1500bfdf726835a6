/* letter - a message that we write ourselves (RFC 5322, RFC 2045)
 *
 *   Date: Sat, 21 Nov 2026 20:00:00 +0000      the head, from struct letter
 *   From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>
 *   To: ada@partner.example
 *   Message-ID: <7f1c@mx.example.org>
 *   Subject: Auto: Lunch
 *   In-Reply-To: <1@partner.example>
 *   References: <1@partner.example>
 *   Auto-Submitted: auto-replied (vacation)
 *   MIME-Version: 1.0
 *   Content-Type: text/plain; charset=utf-8    the entity
 *
 *   I am away.
 *
 * Whatever the values hold, each becomes one field: line ends and other control
 * characters in them become blanks.  Lines are folded as compose.h does it.
 *
 * An entity is a content, so that it can hold (parts of) the message that is
 * answered without a copy.  All of it lives in the arena.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_LETTER_H
#define MAIL_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"
#include "mail/content.h"
#include "mail/message.h"

/* Bytes of the original's References that are carried on: the last ones. */
enum { LETTER_REFERENCES_MOST = 8192 };

/* A further field with unstructured text, in UTF-8. */
struct letter_field {
	struct str name; /* compose_is_name() */
	struct str text;
};

/* Empty ones are left out, but for the date, the id and From. */
struct letter {
	struct tm date;
	struct str id;       /* from letter_id() */
	struct str from, to; /* header lists, UTF-8; the first of several in
	                      * From is the Sender as well */
	struct str subject;  /* UTF-8 */
	struct str auto_submitted;
	const struct message *original; /* what it answers; NULL: none */
	const struct letter_field *fields;
	size_t field_count;
};

/* One line, whatever it was: control characters become blanks.  Lives in the arena
 * or is `text`. */
struct str letter_line(struct arena *arena, struct str text);

/* "<unique@host>" (RFC 5322 3.6.4).  What may not stand in an id is left out. */
struct str letter_id(struct arena *arena, struct str unique, struct str host);

/* The letter: its head with MIME-Version in front of the entity.  False when From
 * or To is no list of addresses, or one that no lines could hold. */
MUST_USE bool letter_compose(struct arena *arena, const struct letter *letter,
	const struct content *entity, const struct content **content_out);

/* The fields of the head alone; complete lines that end in LF. */
MUST_USE bool letter_head(
	struct arena *arena, const struct letter *letter, struct str *head_out);

/* ---- entities: header, empty line, body (RFC 2045 2.4) ----
 *
 * `base` is the message that pieces of a content count in; it is needed even when
 * none of them is used. */

/* text/plain in UTF-8, as compose_text_part(). */
const struct content *letter_text(
	struct arena *arena, const struct message *base, struct str text);

/* Another type of text, which `fields` say, as compose_part(). */
const struct content *letter_typed_text(struct arena *arena,
	const struct message *base, struct str fields, struct str text);

/* One that somebody else has written whole.  Only the fields Content-... of its
 * header are used; a text that begins with no field is all body.  What RFC 2045
 * asks for when there are 8-bit bytes in the body is added where it is missing.
 * False when there are such in the header (RFC 5230 5). */
MUST_USE bool letter_ready(struct arena *arena, const struct message *base,
	struct str text, const struct content **entity_out);

/* `fields` (complete lines that end in LF; may be empty), the empty line, `text`
 * (LF) and `inner` (NULL: nothing).  Borrows the texts. */
const struct content *letter_part(struct arena *arena,
	const struct message *base, struct str fields, struct str text,
	const struct content *inner);

/* Several entities.  `type` is the value of Content-Type without the boundary:
 * "multipart/report; report-type=delivery-status".  The boundary is made of the
 * letter's id: what is quoted cannot know it.  is_eight_bit: a part says so. */
const struct content *letter_multipart(struct arena *arena,
	const struct message *base, struct str type, struct str id,
	bool is_eight_bit, const struct content *const *parts, size_t count);

#endif
