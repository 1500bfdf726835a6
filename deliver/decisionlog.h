/* decisionlog - the file that keeps what was decided for a user
 *
 * One line for each delivery, added by one write(), so that deliveries that run at
 * the same time do not mix.  A file that has reached its size becomes FILE.0, in
 * place of the one before; so no more than twice that size is kept.  Nothing is
 * flushed: a power failure may cost the last lines.
 *
 * Runs as the user.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_DECISIONLOG_H
#define DELIVER_DECISIONLOG_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* The line ends with a line feed.  The file is made with mode 0600; what is no
 * file, and a link, is left alone.  Errors: 4.3.0. */
MUST_USE int decisionlog_add(
	const char *path, uint64_t size_max, struct str line, struct err *err);

/* Adds all that is kept, the oldest first; of a file that is greater than anybody
 * keeps one the end.  LOOKUP_NONE: there is no such file.  Errors: 4.3.0. */
MUST_USE enum lookup decisionlog_read(
	const char *path, struct buf *out, struct err *err);

#endif
