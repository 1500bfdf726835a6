/* ere - extended regular expressions (POSIX.1-2017, XBD 9.4) for base/regex.h
 *
 *   ^[[:alpha:]_]+\.(com|org)$   becomes   ^[A-Z_a-z]+\.(com|org)\z
 *
 * Nothing of PCRE's own syntax gets through: what POSIX leaves open is either
 * what people who know grep -E expect or an error that says what to write.
 *
 *   \w \W \s \S \b \B \< \> \` \'   as GNU has them
 *   \1 to \9                        of groups that are closed
 *   a{,3}                           a{0,3}
 *   an empty alternative or group   matches nothing at all
 *
 * "." and brackets stand for code points; classes and \w know ASCII only.  In
 * brackets a backslash stands for itself.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ERE_H
#define BASE_ERE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	ERE_BYTES_MOST = 1000,  /* of a pattern */
	ERE_DEPTH_MOST = 50,    /* parentheses within parentheses */
	ERE_REPEAT_MOST = 32767 /* {n}, as glibc */
};

enum ere_option {
	/* Subjects have their ASCII capitals turned into small letters; a
	 * pattern means both. */
	ERE_NOCASE = 1
};

/* The translation lives in the arena; it is for REGEX_CODE_POINTS.  -1 with 5.6.0 and a text that says what is wrong and at
 * which character. */
MUST_USE int ere_translate(struct arena *arena, struct str pattern,
	unsigned options, struct str *translated_out, struct err *err);

/* `s` so that it matches itself alone (draft-ietf-sieve-regex, :quoteregex). */
struct str ere_quote(struct arena *arena, struct str s);

#endif
