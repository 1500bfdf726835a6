/* fields - values of header fields as tests compare them, made once in a run
 *
 * A script with five hundred rules about one field unfolds and decodes it once,
 * turns it into small letters once and reads its addresses once.  What that takes
 * counts for sieve_max_memory; when half of that is used nothing more is kept, and
 * work is done anew rather than a script in error.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_FIELDS_H
#define SIEVE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/message.h"
#include "sieve/evaluate.h"

struct field_text {
	bool is_kept, has_value, has_lower, has_addresses;
	struct str value; /* unfolded, decoded (encodedword_decode()) */
	struct str lower; /* see fields_lower() */
	const struct address *addresses;
	size_t address_count;
};

/* With `value`.  A field of the message as it came keeps its text for the run;
 * that of another one (added, of a part) lives in scratch. */
MUST_USE enum sieve_status run_field_text(struct run *run,
	const struct header_field *field, struct field_text **text_out);

/* The form of i;ascii-casemap. */
MUST_USE enum sieve_status fields_lower(
	struct run *run, struct field_text *text, struct str *lower_out);

/* address_parse_list() of the field. */
MUST_USE enum sieve_status run_field_addresses(struct run *run,
	const struct header_field *field, const struct address **addresses_out,
	size_t *count_out);

#endif
