/* mime - tests of the header fields of parts: :mime, :anychild (RFC 5703 4)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_MIME_H
#define SIEVE_EXT_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "sieve/compare.h"
#include "sieve/evaluate.h"

/* Does the test ask for fields that the message's own header has not? */
bool mime_asks_parts(const struct run *run, const struct call *call);

/* Does `each` for every field of these names of the parts that the call asks
 * for, or for the one that :index names, until the answer is known. */
MUST_USE enum sieve_status mime_compare_fields(struct compare *compare,
	const struct str *names, size_t count,
	enum sieve_status (*each)(
		struct compare *, const struct header_field *));

/* Is there a field of that name in one of the parts? */
MUST_USE enum sieve_status mime_exists(struct run *run, const struct call *call,
	struct str name, bool *exists_out);

/* :type, :subtype, :contenttype and :param: a piece of the field is compared. */
bool mime_has_option(const struct call *call);
MUST_USE enum sieve_status mime_compare_option(
	struct compare *compare, const struct header_field *field);

#endif
