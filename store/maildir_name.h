/* maildir_name - file names in a Maildir, as Dovecot and Courier read them
 *
 *   1572467958.M732111P44.mx,S=1673,W=1707:2,S
 *   seconds    us     pid host  size  flags (in cur/ only)
 *                               W: with CRLF
 *   `---------- stem ------'
 *
 * In tmp/ only the stem.  The time grows with each name of a process.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MAILDIR_NAME_H
#define STORE_MAILDIR_NAME_H

#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	MAILDIR_STEM_MAX = 192, /* bytes; the rest of NAME_MAX is for sizes */
	MAILDIR_HOST_MAX = 128  /* bytes of it */
};

/* clock_host() with "/" and ":" as "\057" and "\072".  Lives in the arena.
 * Errors: 4.3.5 for a name that is empty, too long or has control characters. */
MUST_USE int maildir_name_host(
	struct arena *arena, const char **host_out, struct err *err);

/* A stem that was never given before. */
void maildir_name_stem(char stem[MAILDIR_STEM_MAX], const char *host);

/* Adds the name in new/, or in cur/ when there are flags (enum store_flags) or
 * letters of keywords (store/keywords.h), "" for none. */
void maildir_name_public(struct buf *buf, const char *stem, uint64_t size,
	uint64_t vsize, unsigned store_flags, const char *keyword_letters);

#endif
