/* fields - values of header fields as tests compare them, made once in a run
 *
 * A script with five hundred rules about one field unfolds and decodes it once,
 * and turns it into small letters once.  What that takes counts for
 * sieve_max_memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_FIELDS_H
#define SIEVE_FIELDS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"
#include "mail/message.h"
#include "sieve/evaluate.h"

struct field_text {
	bool is_known, has_lower;
	struct str value; /* unfolded, decoded (encodedword_decode()) */
	struct str lower; /* the form of i;ascii-casemap; see fields_lower() */
	struct arena *arena; /* where they live */
};

/* A field of the message as it came keeps its text for the run; that of another
 * one (added, of a part) lives in scratch. */
MUST_USE enum sieve_status run_field_text(struct run *run,
	const struct header_field *field, struct field_text **text_out);

MUST_USE enum sieve_status fields_lower(
	struct run *run, struct field_text *text, struct str *lower_out);

#endif
