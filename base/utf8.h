/* utf8 - code points and their bytes (RFC 3629)
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

#define UTF8_REPLACEMENT 0xfffdu

/* The code point at s.data + *at; moves *at behind it.  False at the end or on
 * a sequence that is not UTF-8 (overlong, surrogate, above U+10FFFF, cut off):
 * *at then stays. */
bool utf8_next(struct str s, size_t *at, uint32_t *code_out);

bool utf8_is_valid(struct str s);
bool utf8_is_ascii(struct str s);

/* False when `code` is a surrogate or above U+10FFFF. */
bool utf8_add(struct buf *buf, uint32_t code);

/* Adds `s`, every byte that is not UTF-8 replaced by U+FFFD. */
void utf8_add_repaired(struct buf *buf, struct str s);

/* Code points; every wrong byte counts as one. */
size_t utf8_count(struct str s);

/* The longest beginning of `s` that has at most `bytes` bytes and does not cut
 * a code point. */
struct str utf8_cut(struct str s, size_t bytes);

/* The first `count` code points of `s`; every wrong byte counts as one. */
struct str utf8_first(struct str s, size_t count);

#endif
