/* encode - bytes as hexadecimal digits and as base64 (RFC 4648), and back
 *
 * For values of our own; a message's encodings are read by mail/, tolerantly.
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"

/* Lower-case digits. */
struct str encode_hex(struct arena *arena, struct str bytes);
/* -1 on an odd count or a byte that is no digit. */
MUST_USE int decode_hex(
	struct arena *arena, struct str text, struct str *bytes_out);

/* `url`: "-" and "_" in place of "+" and "/". */
struct str encode_base64(
	struct arena *arena, struct str bytes, bool padded, bool url);
/* Both alphabets; padding may be missing.  -1 on anything else. */
MUST_USE int decode_base64(
	struct arena *arena, struct str text, struct str *bytes_out);

#endif
