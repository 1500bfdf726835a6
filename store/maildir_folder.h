/* maildir_folder - the folders of a Maildir: find, make, clean
 *
 *   ROOT/{new,cur,tmp}              the INBOX
 *   ROOT/.A.B/{new,cur,tmp}         Maildir++, with an empty `maildirfolder`
 *   ROOT/A/B/{new,cur,tmp}          fs
 *
 * A folder is one that mail can be put into when it has cur/.  Nothing is made
 * before something was found missing; two processes may make the same folder
 * at once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_MAILDIR_FOLDER_H
#define STORE_MAILDIR_FOLDER_H

#include <stdbool.h>

#include "base/attributes.h"
#include "base/err.h"
#include "store/driver.h"
#include "store/paths.h"
#include "store/permission.h"

enum {
	MAILDIR_TEMP_AGE_S = 36 * 60 * 60, /* older files in tmp/ go */
	MAILDIR_TEMP_FILES_MAX = 10000     /* looked at in one cleaning */
};

struct maildir_folder {
	struct maildir_folder *next;
	struct str name; /* for people */
	const char *disk;
	const char *path;
	const char *control;       /* of dovecot-keywords and its lock */
	bool keywords_are_refused; /* once in this store is enough */
	bool is_inbox;
	bool is_ready; /* was found or made; `permission` is set */
	bool was_cleaned;
	enum store_layout layout;
	struct permission permission;
};

struct maildir_root {
	struct store_root base;
	const char *host; /* for file names */
	struct maildir_folder *folders;
	/* Folders with entries for folders that were made; to be flushed
	 * before mail in those is durable. */
	struct paths changed;
};

/* Finds the folder, or makes it when it is the INBOX or `write_flags` or the
 * settings say so; and subscribes to it then. */
MUST_USE enum store_result maildir_folder_open(struct maildir_root *root,
	const struct folder *folder, unsigned write_flags,
	struct maildir_folder **folder_out, struct err *err);

/* Makes the folder's control folder when it is apart from the mail and not there;
 * -1 with errno. */
MUST_USE int maildir_folder_make_control(
	struct maildir_root *root, const struct maildir_folder *folder);

/* Makes what is missing of an open folder: something in it was not found. */
MUST_USE enum store_result maildir_folder_repair(struct maildir_root *root,
	struct maildir_folder *folder, unsigned write_flags, struct err *err);

/* Makes one of new, cur and tmp. */
MUST_USE int maildir_folder_make_part(struct maildir_root *root,
	struct maildir_folder *folder, const char *part, struct err *err);

MUST_USE enum lookup maildir_folder_find(
	struct maildir_root *root, const char *disk, struct err *err);

/* As the driver's list(). */
MUST_USE int maildir_folder_list(struct maildir_root *root, const char *disk,
	struct store_names *names, struct err *err);

/* new/ and cur/ of a folder ("" = the INBOX). */
void maildir_folder_parts(
	struct maildir_root *root, const char *disk, struct store_names *paths);

/* The control folder of the INBOX; `make`: made where it is apart and missing. */
MUST_USE int maildir_folder_inbox_control(struct maildir_root *root,
	const struct folder *inbox, bool make, const char **path_out,
	struct err *err);

/* Where Dovecot keeps what it knows about a folder ("" = the INBOX). */
const char *maildir_folder_control(
	const struct maildir_root *root, const char *disk);

/* Removes the leftovers of crashed deliveries from tmp/ when nobody has done so
 * for `interval_ms`, known by tmp/'s access time.  Cannot fail: nothing depends
 * on it. */
void maildir_folder_clean(
	const struct maildir_folder *folder, uint64_t interval_ms);

#endif
