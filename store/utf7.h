/* utf7 - modified UTF-7, the spelling of folder names on disk
 *
 * Printable ASCII stands for itself but "&", which is "&-".  All else is UTF-16
 * in base64 with "," for "/" and without padding, between "&" and "-":
 *
 *   Entw<U+00FC>rfe & mehr     Entw&APw-rfe &- mehr
 *
 * Every text has exactly one spelling.  Pure.  RFC 3501 5.1.3.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_UTF7_H
#define STORE_UTF7_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/str.h"

/* Adds `text`.  False when it is not UTF-8. */
MUST_USE bool utf7_encode(struct buf *buf, struct str text);

/* Adds the UTF-8 for `name`.  False when no text has that spelling; `buf` then
 * is as it was. */
MUST_USE bool utf7_decode(struct buf *buf, struct str name);

#endif
