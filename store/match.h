/* match - the folder that somebody means who does not know how it is spelled
 *
 * The sender of amy+lists@example.org names a folder, and the case of an address
 * is not to be relied upon.  A name that differs only in the case of its letters
 * is the same name; of several folders that are meant so, the one is taken whose
 * spelling agrees with the given one the longest from the beginning, and of those
 * the first in octet order.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MATCH_H
#define STORE_MATCH_H

#include <stddef.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "store/driver.h"
#include "store/folder.h"

/* Names looked at in one folder of the disk; others are not found. */
enum { MATCH_NAMES_MAX = 10000 };

/* `rest` is a name without its namespace's prefix, and what comes out is
 * another.  LOOKUP_NONE where the driver cannot list. */
enum lookup match_folder(struct store_root *root,
	const struct folder_rules *rules, struct str rest, struct str *rest_out,
	struct err *err) MUST_USE;

/* The number of folders beside the INBOX, counted up to `most`.  LOOKUP_NONE
 * where the driver cannot list. */
enum lookup match_count(struct store_root *root, size_t most, size_t *count_out,
	struct err *err) MUST_USE;

/* A folder beside the INBOX. */
struct match_entry {
	struct str rest; /* its name, or how it is spelled on disk where no name
	                  * leads to it */
	const char *disk;
};

/* All of them, in any order; both arrays and what they hold live in the arena of
 * the root.  None where the driver cannot list. */
int match_list(struct store_root *root, const struct folder_rules *rules,
	struct match_entry **entries_out, size_t *count_out,
	struct err *err) MUST_USE;

/* The folder beside the INBOX that has this id, by the name without its namespace's
 * prefix.  LOOKUP_NONE also where the driver cannot list or knows no ids. */
enum lookup match_id(struct store_root *root, const struct folder_rules *rules,
	struct str id, struct str *rest_out, struct err *err) MUST_USE;

#endif
