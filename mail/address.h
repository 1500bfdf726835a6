/* address - mailbox addresses, in headers and on the envelope
 *
 * Header lists (RFC 5322 3.4) are read tolerantly: comments, groups, quoted
 * words, source routes and broken syntax never stop the rest of a list.
 * Envelope paths (RFC 5321 4.1.2, RFC 6531) are read strictly.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct address {
	struct str local_part; /* unquoted: "a b"@c has the local part a b */
	struct str domain;     /* empty when there is none */
	struct str display; /* header lists only; raw, may hold encoded words */
	struct str text;    /* local_part@domain, quoted where it must be */
	bool is_null;       /* the null sender <> */
	bool is_broken;     /* header lists only: text is the raw bytes, the
	                        * parts are not to be trusted */
};

/* Every address in a header field's raw value (folds allowed), broken ones
 * included, groups flattened.  At most `most` are returned.  Lives in the arena. */
size_t address_parse_list(struct arena *arena, struct str value, size_t most,
	const struct address **addresses_out);

enum address_flags {
	ADDRESS_NULL_ALLOWED = 1,  /* <> and the empty string */
	ADDRESS_LOCAL_ALLOWED = 2, /* "amy" without a domain */
	ADDRESS_BRACKETS_OPTIONAL = 4
};

/* An envelope path: <local@domain>, source route ignored, UTF-8 allowed in both
 * parts.  -1 with ERR_USAGE 5.1.3 whose text says what is wrong and where. */
MUST_USE int address_parse_path(struct arena *arena, struct str path,
	unsigned flags, struct address *address_out, struct err *err);

/* "local@domain" with the local part quoted where RFC 5321 asks for it. */
struct str address_text(
	struct arena *arena, struct str local_part, struct str domain);

#endif
