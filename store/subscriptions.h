/* subscriptions - the list of folders that an IMAP client shows
 *
 * One file per mail root, shared with Dovecot and changed under its lock
 * `subscriptions.lock`, which becomes the new file by rename.  Two formats:
 *
 *   v1   Lists.C LF                  as on disk, layout's separator
 *   v2   V HT 2 LF LF Lists HT C LF  parts as on disk, HT between them
 *
 * A new file is v2.  What is there is kept byte for byte.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_SUBSCRIPTIONS_H
#define STORE_SUBSCRIPTIONS_H

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "store/permission.h"

enum {
	SUBSCRIPTIONS_MAX_BYTES = 4 << 20, /* a longer file is left alone */
	SUBSCRIPTIONS_WAIT_MS = 2000,      /* for the lock */
	SUBSCRIPTIONS_STALE_S = 30         /* an older lock is a dead one's */
};

/* Adds `folder`, whose parts are split by `separator`, unless it is there.
 * Nothing of a delivery depends on it: the caller logs a failure. */
MUST_USE int subscriptions_add(const char *path, struct str folder,
	char separator, const struct permission *permission, bool sync,
	struct err *err);

#endif
