/* mbox_keywords - which keywords a message in an mbox may have
 *
 *   X-IMAPbase: 1795281929 0000000007 $Forwarded Junk     in the first message
 *   X-Keywords: Junk                                      in each that has some
 *
 * The first message says which keywords there are, also under the older name
 * X-IMAP.  Dovecot and programs that use the c-client library take an X-Keywords
 * with any other word for a forged one, and drop all of it.  That header is
 * written by the IMAP server, which may be busy with it; so only words that stand
 * there are used.  In an empty mbox the line is ours to make.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MBOX_KEYWORDS_H
#define STORE_MBOX_KEYWORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/str.h"

/* Bytes of the first message that are looked at. */
enum { MBOX_KEYWORDS_HEAD_BYTES = 64 << 10 };

/* Adds the lines for a message in that mbox, none when it may have no keywords;
 * and to `lost` the words that it cannot have, a blank before each.  -1 with
 * errno. */
MUST_USE int mbox_keywords_lines(int fd, const struct str *keywords,
	size_t count, int64_t now, struct buf *lines, struct buf *lost);

#endif
