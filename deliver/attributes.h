/* attributes - what IMAP clients have noted about folders (RFC 5464)
 *
 *   priv/GUID/comment LF  Mail of the club LF       /private/comment of a folder
 *   shared/GUID/comment LF  ... LF                  /shared/comment
 *   priv/GUID/specialuse LF  \Junk LF               a use in place of the configured
 *   priv/GUID/vendor/vendor.dovecot/pvt/server/comment    the server's own: GUID is
 *                                                         that of the INBOX
 *
 * Dovecot's mail_attribute_dict of the driver "file", a line with a key and one
 * with its value by turns.  Only read.  Dovecot's IMAP server (2.3) lets no client
 * set a special use; such a line is from another tool.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_ATTRIBUTES_H
#define DELIVER_ATTRIBUTES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum { ATTRIBUTES_MAX_BYTES = 4 << 20 }; /* a longer file is an error */

struct attribute {
	struct str key, value;
};

struct attributes {
	struct attribute *items;
	size_t count, size;
};

/* All of them, in the arena; none when there is no such file.
 * Errors: 4.3.0, temporary (RFC 5490 5). */
MUST_USE int attributes_read(struct arena *arena, const char *path,
	struct attributes *attributes_out, struct err *err);

/* False when there is none of that key, in any case of its letters. */
bool attributes_find(const struct attributes *attributes, struct str key,
	struct str *value_out);

/* priv/GUID/specialuse: the GUID.  False for other keys. */
bool attributes_is_use(const struct attribute *attribute, struct str *id_out);

#endif
