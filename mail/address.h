/* address - mailbox addresses, in headers and on the envelope
 *
 * Header lists (RFC 5322 3.4) are read tolerantly: comments, groups, quoted
 * words, source routes and broken syntax never stop the rest of a list.  The
 * time is linear in the length whatever is nested or left open.
 *
 * Envelope paths (RFC 5321 4.1.2, RFC 6531) are read strictly: no control
 * character (C0, DEL, C1) ever comes out of one.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

/* Lengths in bytes of the two parts of a path.  RFC 5321 4.5.3.1 has 64 and 255
 * as what must be accepted.  Rewritten senders (VERP, SRS, BATV) are longer than
 * 64, so more is accepted; 255 is what DNS allows. */
enum { ADDRESS_LOCAL_PART_MOST = 512, ADDRESS_DOMAIN_MOST = 255 };

struct address {
	struct str local_part; /* unquoted: "a b"@c has the local part a b */
	struct str domain;     /* empty when there is none */
	struct str display;    /* header lists only; raw: the phrase in front of
				* <, or the comment behind a bare address; may
				* hold quotes and encoded words */
	struct str text;       /* local_part@domain, quoted where it must be;
				* empty for the null address */
	bool is_null;          /* <>, in a header list as well */
	bool is_broken;        /* header lists only: text is the raw bytes, the
				* other parts are empty */
};

/* Every address in a header field's raw value (folds allowed), broken ones
 * included, groups flattened.  At most `most` are returned.  Lives in the arena
 * or is a part of `value`.
 *
 * A comma that is missing between two addresses is supplied; an open quote is
 * taken as if it were not there, an open comment as a broken word; a word alone
 * is a local part without domain, several words are one broken address. */
size_t address_parse_list(struct arena *arena, struct str value, size_t most,
	const struct address **addresses_out);

enum address_flags {
	ADDRESS_NULL_ALLOWED = 1,      /* <> and the empty string */
	ADDRESS_LOCAL_ALLOWED = 2,     /* "amy" without a domain */
	ADDRESS_BRACKETS_OPTIONAL = 4, /* amy@c and <amy@c> */
	ADDRESS_QUOTES_OPTIONAL = 8    /* a b@c is "a b"@c: what stands on a
					* command line (Postfix pipe(8) quotes
					* only with flags=q) */
};

/* An envelope path: <local@domain>, source route ignored, UTF-8 allowed in both
 * parts, dots anywhere in the local part (some providers gave out such names).
 * -1 with ERR_USAGE 5.1.3 whose text says what is wrong and where; for a sender
 * the caller makes that 5.1.7. */
MUST_USE int address_parse_path(struct arena *arena, struct str path,
	unsigned flags, struct address *address_out, struct err *err);

/* "local@domain" with the local part quoted where RFC 5321 asks for it; only the
 * local part when the domain is empty; empty when both are. */
struct str address_text(
	struct arena *arena, struct str local_part, struct str domain);

#endif
