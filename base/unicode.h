/* unicode - letters of every script: case
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

#endif
