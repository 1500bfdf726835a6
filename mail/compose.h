/* compose - header fields put together (RFC 5322 2.2, RFC 2047)
 *
 * A whole message of our own is put together by mail/letter.h.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/* Longer names leave no room in a line. */
enum { COMPOSE_NAME_MOST = 256 };

/* May a field be called that?  RFC 5322 3.6.8: printable ASCII without a colon. */
bool compose_is_name(struct str name);

/* May this be the text of a field?  No NUL, and no line end but one that a blank
 * follows (a fold, RFC 5322 2.2.3). */
bool compose_is_value(struct str value);

/* The text of an unstructured field called `name`, which compose_is_value():
 * blanks at both ends are taken off, lines are folded before the 78th column
 * where there is a blank, and words that ASCII cannot say (or that no line could
 * hold) become encoded words in UTF-8.  Line ends are LF and there is none at the
 * end.  Lives in the arena or is a part of `value`. */
struct str compose_value(
	struct arena *arena, struct str name, struct str value);

/* A MIME entity (RFC 2045 2.4) of these fields (complete lines that end in LF) and
 * this text: header, empty line, body.  Quoted-printable when it is not short lines
 * of ASCII.  Line ends are LF; the last line has one.  Lives in the arena. */
struct str compose_part(
	struct arena *arena, struct str fields, struct str text);

/* The same, text/plain in UTF-8. */
struct str compose_text_part(struct arena *arena, struct str text);

/* The text of a field From, To ... with these addresses (a header list, UTF-8):
 * names that ASCII cannot say become encoded words, those that are no phrase (RFC
 * 5322 3.2.5) quoted strings.  False when one of them is broken or there is none. */
bool compose_addresses(struct arena *arena, struct str name, struct str list,
	struct str *value_out);

/* Line ends become LF.  Lives in the arena or is `text`. */
struct str compose_lf(struct arena *arena, struct str text);

#endif
