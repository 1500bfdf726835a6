/* SPDX-License-Identifier: MIT */
#include "store/permission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#include "base/banned.h"

enum { SHARED = 0077, OWNER_FILE = 0600, OWNER_FOLDER = 0700 };

void
permission_init_private(struct permission *permission)
{
	*permission = (struct permission){
		.file_mode = OWNER_FILE,
		.folder_mode = OWNER_FOLDER,
		.group = (gid_t)-1,
	};
}

/* Who may read a folder may look into it. */
static mode_t
with_search_for_readers(mode_t mode)
{
	return mode | (mode & 0444) >> 2;
}

void
permission_init_from(struct permission *permission, const struct stat *folder,
	const char *path)
{
	mode_t mode = folder->st_mode;
	bool group_gains = (mode & 0070) >> 3 != (mode & 0007);

	permission_init_private(permission);
	permission->file_mode |= mode & 0666;
	permission->folder_mode |= with_search_for_readers(mode & 0777);
	if (mode & S_ISGID) {
		permission->folder_mode |= S_ISGID;
		permission->group = folder->st_gid;
	} else if (group_gains) {
		permission->group = folder->st_gid;
		permission->needs_group = folder->st_gid != getegid();
	}
	snprintf(permission->origin, sizeof(permission->origin), "%s", path);
}

bool
permission_is_same(const struct permission *a, const struct permission *b)
{
	return a->file_mode == b->file_mode && a->group == b->group;
}

static void
log_group_refused(const struct permission *permission, const char *path)
{
	log_error(
		"chown(%s, group=%ld) failed: %s (euid=%ld egid=%ld, group "
		"based on %s; either make the user a member of that group or "
		"run chmod g-rwx or chmod g+s on that folder); the group gets "
		"no access",
		path, (long)permission->group, strerror(errno), (long)geteuid(),
		(long)getegid(), permission->origin);
}

int
permission_apply_file(
	const struct permission *permission, int fd, const char *path)
{
	mode_t mode = permission->file_mode;

	if (permission->needs_group &&
		fchown(fd, (uid_t)-1, permission->group) < 0) {
		if (errno != EPERM)
			return -1;
		log_group_refused(permission, path);
		mode &= (mode_t)~0070;
	}
	/* The umask cannot be asked for without a race, and only takes away. */
	if ((mode & SHARED) != 0)
		return fchmod(fd, mode);
	return 0;
}

/* A folder made inside a setgid one is so by itself; but the one that the mode
 * comes from need not be the one it lies in. */
static int
give_group(const struct permission *permission, const char *path)
{
	mode_t mode = permission->folder_mode;
	struct stat made;

	if (stat(path, &made) < 0)
		return -1;
	if (made.st_gid == permission->group &&
		(made.st_mode & S_ISGID) == (mode & S_ISGID))
		return 0;
	if (chown(path, (uid_t)-1, permission->group) < 0) {
		if (errno != EPERM)
			return -1;
		log_group_refused(permission, path);
		mode &= 0707;
	}
	return chmod(path, mode);
}

int
permission_make_folder(const struct permission *permission, const char *path)
{
	mode_t mode = permission->folder_mode, old_mask;
	int result, saved;

	if ((mode & ~(mode_t)OWNER_FOLDER) == 0)
		return mkdir(path, mode);
	/* Made with its final mode at once: another process that delivers into
	 * it derives the mode of its mail from it. */
	old_mask = umask(0);
	result = mkdir(path, mode & 0777);
	saved = errno;
	umask(old_mask);
	errno = saved;
	if (result == 0 && (permission->needs_group || (mode & S_ISGID)))
		return give_group(permission, path);
	return result;
}

/* The whole sentence about one folder, or false when it lacks nothing. */
static bool
explain_folder(struct buf *text, const char *path, int wanted, char letter)
{
	struct stat found;

	if (faccessat(AT_FDCWD, path, wanted, AT_EACCESS) == 0 ||
		errno != EACCES)
		return false;
	buf_add_format(text, " missing +%c perm: %s", letter, path);
	if (stat(path, &found) == 0)
		buf_add_format(text, ", dir owned by %ld:%ld mode=%04o",
			(long)found.st_uid, (long)found.st_gid,
			(unsigned)found.st_mode & 07777);
	return true;
}

static bool
is_folder(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* The nearest folder above `path` that is there: mkdir -p begins in it. */
static void
cut_to_existing(char *path)
{
	struct stat found;
	size_t at;

	do {
		at = str_find_last_char(str_from(path), '/');
		path[at > 0 ? at : 1] = '\0';
	} while (at > 0 && stat(path, &found) < 0 && errno == ENOENT);
}

void
permission_explain(struct buf *text, const char *path)
{
	char folder[4096];
	size_t len = strlen(path), at;

	buf_add_format(
		text, "euid=%ld egid=%ld", (long)geteuid(), (long)getegid());
	if (len >= sizeof(folder) || path[0] != '/')
		return;
	/* From the top: below a folder we cannot enter nothing can be asked. */
	for (at = 0; at < len; at++) {
		if (path[at] != '/')
			continue;
		memcpy(folder, path, at);
		folder[at] = '\0';
		if (explain_folder(text, at == 0 ? "/" : folder, X_OK, 'x'))
			return;
	}
	memcpy(folder, path, len + 1);
	cut_to_existing(folder);
	if (explain_folder(text, folder, W_OK, 'w') ||
		(is_folder(path) &&
			(explain_folder(text, path, X_OK, 'x') ||
				explain_folder(text, path, W_OK, 'w'))) ||
		explain_folder(text, path, R_OK, 'r'))
		return;
	buf_add_text(text, " UNIX perms appear ok (ACL/MAC wrong?)");
}
