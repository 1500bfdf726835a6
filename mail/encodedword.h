/* encodedword - header text as people read it (RFC 2047)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_ENCODEDWORD_H
#define MAIL_ENCODEDWORD_H

#include "base/arena.h"
#include "base/str.h"

/* Charset conversions for one value, so that a hostile one costs no more than a
 * few milliseconds.  Neighbours of the same charset are one conversion. */
enum { ENCODEDWORD_CONVERSIONS_MOST = 200 };

/* A raw field value unfolded (CR LF before a blank removed, RFC 5322 2.2.3),
 * blanks trimmed at both ends, encoded words turned into UTF-8; blanks between
 * two encoded words vanish.  Neighbours of the same charset are joined before
 * they are converted, for senders that cut a character in two.
 *
 * A word with an unknown charset or broken encoding stays as it is, and so do all
 * words beyond the limit.  A byte its charset does not have becomes U+FFFD; an
 * encoded CR or LF becomes a blank.  8-bit bytes outside of words stay as they
 * are, UTF-8 or not.  Words are found wherever they stand, in quotes too, and may
 * be longer than RFC 2047 allows.
 * Lives in the arena, or is a part of `value` when nothing had to change. */
struct str encodedword_decode(struct arena *arena, struct str value);

/* Only unfolded and trimmed. */
struct str encodedword_unfold(struct arena *arena, struct str value);

#endif
