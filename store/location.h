/* location - one mail_location: which driver, and which paths
 *
 *   maildir:~/Maildir:LAYOUT=fs:UTF-8:INBOX=/var/mail/amy:CONTROL=...
 *   driver  root      options; "::" is a colon in a path
 *
 * A relative path and one with "~/" start at the home folder.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_LOCATION_H
#define STORE_LOCATION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum store_layout {
	STORE_LAYOUT_MAILDIRPP, /* .A.B, all in the root */
	STORE_LAYOUT_FS         /* A/B, one in the other */
};

/* Paths are absolute and have no "/" at their end. */
struct location {
	const char *driver; /* as written */
	const char *root;
	const char *inbox;         /* the root where INBOX= does not say more */
	const char *control;       /* where `subscriptions` lies; or the root */
	const char *subscriptions; /* name of that file */
	bool has_inbox;            /* INBOX= was given */
	bool has_subscriptions;    /* else: the driver's usual one */
	bool has_layout;           /* else: the driver's usual one */
	enum store_layout layout;
	bool utf8; /* folder names on disk; else modified UTF-7 */
};

/* Lives in the arena.  `home` may be NULL.  Errors: 4.3.5, the detail tells what
 * is wrong with the text. */
MUST_USE int location_parse(struct arena *arena, const char *text,
	const char *home, struct location *location_out, struct err *err);

#endif
