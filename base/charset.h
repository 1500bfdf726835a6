/* charset - text in the charsets that mail names, as UTF-8
 *
 * UTF-8, ASCII, ISO 8859-1 and Windows-1252 are converted here; opening a
 * converter of libc costs a quarter of a millisecond.  The rest is left to
 * iconv(), with names that mail uses and libc does not know turned into those it
 * knows.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/* Longer names are unknown. */
enum { CHARSET_NAME_MOST = 64 };

/* The bytes as UTF-8 that is valid whatever they were: what the charset does not
 * have becomes U+FFFD.  Lives in the arena or is `bytes` itself.  False when the
 * charset is unknown. */
bool charset_to_utf8(struct arena *arena, struct str charset, struct str bytes,
	struct str *text_out);

#endif
