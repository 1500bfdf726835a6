/* uidlist - the id that Dovecot gave a Maildir folder
 *
 *   3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
 *   the first line of dovecot-uidlist; G: the mailbox's GUID
 *
 * The file is Dovecot's, and only read.  A folder that Dovecot has never opened has
 * none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_UIDLIST_H
#define STORE_UIDLIST_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum { UIDLIST_LINE_MAX = 512 }; /* bytes that are looked at */

/* `control` is the folder of the file; the result lives in the arena.  LOOKUP_NONE:
 * there is no file, none that we may read, or no id in it.  Errors: 4.3.0. */
enum lookup uidlist_id(struct arena *arena, const char *control,
	struct str *id_out, struct err *err) MUST_USE;

#endif
