/* driver - what a kind of mailbox has to bring
 *
 * A driver is one const struct of functions, listed in store.c's table.  Its
 * state embeds the public struct (store_root, store_copy) and gets back with
 * CONTAINER_OF.  What each function has to do is said in store.h; here is what
 * store.c has done before:
 *
 *   store_open()   -> location parsed, driver found by its name -> open
 *   a folder name  -> namespace -> struct folder (encoded, checked)
 *
 * tests/unit/store/every_driver.c is run for each driver.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/flush.h"
#include "base/str.h"
#include "mail/content.h"
#include "store/folder.h"
#include "store/location.h"
#include "store/store.h"

struct store_driver;

/* One mail location of a store. */
struct store_root {
	const struct store_driver *driver;
	struct arena *arena; /* the store's */
	struct location location;
	const struct store_settings *settings; /* the store's copy */
};

struct store_copy {
	const struct store_driver *driver;
	const struct store_settings *settings;
	const struct content *content;
	struct str folder; /* as people see it */
	struct buf path;   /* where it is now */
	uint64_t size, vsize;
};

/* Places on disk, relative to the root. */
struct store_names {
	struct arena *arena;
	const char **items;
	size_t count, size;
	size_t most; /* whoever lists stops there */
};
void store_names_add(struct store_names *names, const char *name);

struct store_driver {
	const char *name;          /* in mail_location, before the colon */
	enum store_layout layout;  /* where the location says nothing */
	const char *subscriptions; /* the file's name, the same */

	/* Lives in base->arena; touches nothing. */
	int (*open)(const struct store_root *base, struct store_root **root_out,
		struct err *err);

	/* Whether mail can be put there as it is; not for the INBOX. */
	enum lookup (*find)(
		struct store_root *root, const char *disk, struct err *err);

	/* Adds what may be folders one level below `disk` ("" = the root, where
	 * all of a Maildir++ are), in any order; nothing when that is not there.
	 * NULL: not to be listed; then folders are found by their exact names
	 * only, and none is made for a +detail. */
	int (*list)(struct store_root *root, const char *disk,
		struct store_names *names, struct err *err);

	/* Adds the paths of a folder's parts ("" = the INBOX).  Without list(): the
	 * INBOX's one, and then those of all folders. */
	void (*parts)(struct store_root *root, const char *disk,
		struct store_names *paths);
	int (*measure)(struct store_root *root, const char *path,
		struct store_use *use_out, struct err *err);
	/* store_control_file() */
	enum lookup (*control)(struct store_root *root, const char *name,
		bool make, const char **path_out, struct err *err);

	/* store_folder_id().  NULL: folders have none. */
	enum lookup (*id)(struct store_root *root, const char *disk,
		struct str *id_out, struct err *err);

	enum store_result (*write)(struct store_root *root,
		const struct folder *folder, unsigned write_flags,
		const struct content *content, unsigned store_flags,
		struct store_copy **copy_out, struct err *err);
	/* `original` is one of this driver. */
	enum store_result (*link)(struct store_root *root,
		const struct folder *folder, unsigned write_flags,
		struct store_copy *original, unsigned store_flags,
		struct store_copy **copy_out, struct err *err);
	int (*set_keywords)(struct store_copy *copy, const struct str *keywords,
		size_t count, struct err *err);
	/* NULL: READY at all times. */
	enum store_keywords (*keywords_state)(struct store_root *root,
		const char *disk, const struct str *keywords, size_t count);
	/* Whether a copy may have to wait until others give up a lock. */
	bool waits_for_locks;

	/* store_flush_files(), store_flush_folders(); NULL: nothing is done in
	 * advance.  Pass over the copies of other drivers. */
	void (*flush_files)(struct store_copy *const *copies, size_t count,
		struct flush_crew *crew);
	void (*flush_folders)(struct store_copy *const *copies, size_t count,
		struct flush_crew *crew);
	int (*sync)(struct store_copy *copy, struct err *err);
	int (*commit)(struct store_copy *copy, struct err *err);
	/* Passes over the copies of other drivers. */
	int (*settle)(struct store_copy *const *copies, size_t count,
		struct err *err);
	void (*retract)(struct store_copy *copy);

	/* All six, or NULL where copies have no names of their own.
	 * store_copy_target() and so on; what they are given is below `root`. */
	const char *(*target)(struct store_copy *copy);
	bool (*owns_target)(const struct store_root *root, const char *target);
	enum lookup (*find_target)(struct store_root *root, const char *target,
		const char **path_out, struct err *err);
	int (*flush_target)(
		struct store_root *root, const char *path, struct err *err);
	void (*remove_target)(struct store_root *root, const char *path);
	bool (*is_beside)(struct store_copy *copy, const char *path);

	void (*close)(struct store_copy *copy);
};

extern const struct store_driver maildir_driver;
extern const struct store_driver mbox_driver;

#endif
