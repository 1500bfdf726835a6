/* mailto - what a mailto URI says (RFC 6068, RFC 2368)
 *
 *   mailto:amy@example.org,bob@example.org?cc=carl@example.org&subject=Hello
 *          \___ to ______________________/    \ header, decoded _________/
 *
 * Percent-encoding is taken off; values are UTF-8, whatever bytes were encoded.
 * Strict: a character that a URI may not have, a broken "%", an address that is
 * none are errors.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MAIL_MAILTO_H
#define MAIL_MAILTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

struct mailto_header {
	struct str name; /* as written */
	struct str value;
};

struct mailto {
	/* local@domain each; none twice.  Those of "to" first, then "cc". */
	const struct str *recipients;
	size_t to_count, count;
	bool has_subject, has_body;
	struct str subject; /* the first ones */
	struct str body;
	/* All others. */
	const struct mailto_header *headers;
	size_t header_count;
};

/* "mailto:" in any case? */
bool mailto_is(struct str uri);

/* -1 with ERR_USAGE 5.1.3 whose text says what is wrong.  More recipients or
 * headers than the limits are errors, too.  Lives in the arena. */
MUST_USE int mailto_parse(struct arena *arena, struct str uri,
	size_t most_recipients, size_t most_headers, struct mailto *mailto_out,
	struct err *err);

#endif
