/* unicode - letters of every script: case, decomposition
 *
 * The only file that knows libutf8proc.  Bytes that are not UTF-8 stay as they
 * are.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include "base/arena.h"
#include "base/str.h"

/* Every code point by its simple case mapping (Unicode 4.2): one code point in,
 * one out, no locale.  "Straße" keeps its sharp s in both. */
struct str unicode_lower(struct arena *arena, struct str s);
struct str unicode_upper(struct arena *arena, struct str s);

/* The form in which the collation i;unicode-casemap compares octets (RFC 5051
 * 2): every code point by its simple titlecase mapping, then decomposed as far
 * as it goes, compatibility mappings included; nothing is reordered.  Hangul
 * syllables have no mapping and stay.  A byte that is not UTF-8 is equal to
 * itself alone and does not spoil what stands around it. */
struct str unicode_casemap(struct arena *arena, struct str s);
/* The form has at most so many times the bytes of `s`. */
enum { UNICODE_CASEMAP_GROWTH = 12 };
/* For each byte of the form, and for its end, where in `s` the code point
 * begins that it comes from. */
const size_t *unicode_casemap_places(struct arena *arena, struct str s);

#endif
