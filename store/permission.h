/* permission - mode and group of new files, and why one could not be made
 *
 * New things are as open as the folder they are in, so that a shared folder
 * stays shared: a file gets the folder's read and write bits, a folder all of
 * them, and both the folder's group, unless the system gives it by itself
 * (setgid folder), it changes nothing (group and world may do the same) or we
 * have that group already.  The owner can always read and write.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_PERMISSION_H
#define STORE_PERMISSION_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"

struct permission {
	mode_t file_mode;
	mode_t folder_mode;
	bool needs_group; /* chown to `group` after making it */
	gid_t group;      /* that new files end up with */
	char origin[256]; /* the folder that this comes from, for the log */
};

/* For a new root: only the owner. */
void permission_init_private(struct permission *permission);

/* What `folder` (at `path`) implies for what is made inside. */
void permission_init_from(struct permission *permission,
	const struct stat *folder, const char *path);

/* The same mode and the same group: one file can be in both. */
bool permission_is_same(const struct permission *a, const struct permission *b);

/* Gives an open new file mode and group.  Without the right to give the group
 * away the file loses the group's bits, so that nobody else gains them; that is
 * logged, and no failure: mail is not lost for it.  -1 with errno. */
MUST_USE int permission_apply_file(
	const struct permission *permission, int fd, const char *path);

/* mkdir() with the exact mode and group; -1 with errno. */
MUST_USE int permission_make_folder(
	const struct permission *permission, const char *path);

/* Adds to `text` who we are and which folder on the way to `path` lacks which
 * permission, the way Dovecot says it.  Of folders that are not there yet the
 * nearest one above them is asked:
 *
 *   euid=1000 egid=1000 missing +x perm: /home/amy, dir owned by 0:0 mode=0700
 */
void permission_explain(struct buf *text, const char *path);

#endif
