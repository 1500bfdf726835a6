/* encodedword - header text as people read it (RFC 2047)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_ENCODEDWORD_H
#define MAIL_ENCODEDWORD_H

#include "base/arena.h"
#include "base/str.h"

/* A raw field value unfolded (CR LF before a blank removed, RFC 5322 2.2.3),
 * blanks trimmed at both ends, encoded words turned into UTF-8; blanks between
 * two encoded words vanish.  A word with an unknown charset or broken encoding
 * stays as it is.  8-bit bytes that are not UTF-8 stay as they are.
 * Lives in the arena, or is a part of `value` when nothing had to change. */
struct str encodedword_decode(struct arena *arena, struct str value);

/* Only unfolded and trimmed. */
struct str encodedword_unfold(struct arena *arena, struct str value);

#endif
