/* mbox_folder - the folders of an mbox location: find, make, open
 *
 *   INBOX=PATH, ROOT/inbox without that, or ROOT itself when that is a file
 *   ROOT/A/B         a file; ROOT/A is a directory, so no mail can be in it
 *
 * ROOT is taken for the INBOX itself when it is a file, or is not there and would
 * be made in a mail spool: a directory of root's into which others may write.
 * Such a location has no other folders.
 *
 * A file is written to only if it is an mbox (or empty), has one name, and is
 * the INBOX only if it is the user's or root's: whoever may write into the spool
 * must not be able to lead mail elsewhere.  A symbolic link has to be the user's
 * or root's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MBOX_FOLDER_H
#define STORE_MBOX_FOLDER_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "store/driver.h"
#include "store/paths.h"

struct mbox_root {
	struct store_root base;
	bool is_single; /* the INBOX is all there is */
	/* Folders with entries for what was made; to be flushed before mail in
	 * it is durable. */
	struct paths changed;
};

struct mbox_folder {
	struct str name; /* for people */
	const char *disk;
	const char *path;
	bool is_inbox;
};

/* Decides what the location's root is. */
MUST_USE int mbox_root_init(struct mbox_root *root, struct err *err);

/* The place; touches nothing. */
struct mbox_folder mbox_folder_place(
	struct mbox_root *root, const struct folder *folder);

MUST_USE enum lookup mbox_folder_find(
	struct mbox_root *root, const char *disk, struct err *err);

/* Opens the file to read and append; makes it when it is the INBOX or
 * `write_flags` or the settings say so; and subscribes to it then. */
MUST_USE enum store_result mbox_folder_open(struct mbox_root *root,
	const struct mbox_folder *folder, unsigned write_flags, int *fd_out,
	struct err *err);

#endif
