/* folder - from the name a script gives to a place below the mail root
 *
 *   "INBOX.Lists.C"   the name, UTF-8
 *      -> namespace with the longest prefix that fits, here "INBOX."
 *      -> parts "Lists", "C"      by the namespace's separator
 *      -> ".Lists.C" (Maildir++)  or "Lists/C" (fs), each part encoded
 *
 * A name that no namespace's prefix fits is one in the namespace that has the
 * INBOX, so "Lists.C" means the same folder.  "INBOX" in any case is the INBOX.
 *
 * Whatever the name, the place is below the root.  Refused are: empty parts,
 * ".", "..", control characters, "~" in front, "/" inside a part, "." inside a
 * part under Maildir++, "new", "cur", "tmp" and the names of the IMAP server's
 * files under fs, what is longer than a file system takes, what is not UTF-8.
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "store/location.h"
#include "store/store.h"

enum {
	FOLDER_PART_MAX = 255, /* bytes of one name on disk (NAME_MAX) */
	FOLDER_PATH_MAX = 2048 /* bytes of all of them */
};

struct folder_rules {
	enum store_layout layout;
	char separator; /* the namespace's; never 0 */
	bool utf8;      /* on disk; else modified UTF-7 */
};

struct folder {
	struct str name; /* as people see it, with the prefix */
	bool is_inbox;
	enum store_layout layout;
	const char *disk; /* relative to the root; "" for the INBOX */
	/* The name on disk if the given one was meant to be modified UTF-7
	 * already; NULL when it does not look so. */
	const char *literal;
};

/* The separator of a namespace that does not say it. */
char folder_separator(enum store_layout layout);

/* Which namespace, and what follows its prefix ("" for the INBOX itself); -1
 * when the name is empty or that of a namespace, not of a folder in it.
 * `separators` has one for each namespace.  Errors as folder_map(). */
MUST_USE int folder_find_namespace(const struct store_namespace *namespaces,
	const char *separators, size_t count, struct str name,
	size_t *index_out, struct str *rest_out, struct err *err);

/* `rest` as folder_find_namespace() gives it.  The result lives in the arena.
 * Errors: ERR_TEMPORARY 4.2.0 with a text that says what is wrong with the
 * name. */
MUST_USE int folder_map(struct arena *arena, const struct folder_rules *rules,
	struct str prefix, struct str rest, struct folder *folder_out,
	struct err *err);

/* The place of the folder one level up; "" when that is the root. */
const char *folder_parent(
	struct arena *arena, enum store_layout layout, const char *disk);

/* For a text that a peer may read: what is no text replaced, long names cut. */
const char *folder_printable(struct arena *arena, struct str name);

#endif
