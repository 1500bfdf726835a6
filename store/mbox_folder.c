/* SPDX-License-Identifier: MIT */
#include "store/mbox_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/privilege.h"
#include "store/failure.h"
#include "store/make.h"

#include "base/banned.h"

enum { OPEN_TRIES = 10 /* a file that comes and goes all the time: give up */ };

/* ---- the location ---- */

static bool
is_spool(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && found.st_uid == 0 &&
	       (found.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static bool
is_single_file(struct arena *arena, const char *path)
{
	struct stat found;

	if (stat(path, &found) == 0)
		return !S_ISDIR(found.st_mode);
	return errno == ENOENT &&
	       is_spool(arena_text(arena, paths_parent(str_from(path))));
}

int
mbox_root_init(struct mbox_root *root, struct err *err)
{
	struct location *location = &root->base.location;

	if (location->layout != STORE_LAYOUT_FS)
		return err_temp(err, "4.3.5",
			"mail_location: mbox has no other LAYOUT than fs");
	paths_init(&root->changed, root->base.arena);
	if (location->has_inbox)
		return 0;
	if (is_single_file(root->base.arena, location->root))
		root->is_single = true;
	else
		location->inbox = arena_format(
			root->base.arena, "%s/inbox", location->root);
	return 0;
}

static const char *
path_of(const struct mbox_root *root, const char *disk)
{
	return arena_format(
		root->base.arena, "%s/%s", root->base.location.root, disk);
}

struct mbox_folder
mbox_folder_place(struct mbox_root *root, const struct folder *folder)
{
	return (struct mbox_folder){
		.name = folder->name,
		.disk = folder->disk,
		.path = folder->is_inbox ? root->base.location.inbox
	                                 : path_of(root, folder->disk),
		.is_inbox = folder->is_inbox,
	};
}

/* Files of other kinds lie among the folders: those of IMAP servers, and locks. */
static bool
is_possible(const struct mbox_root *root, const char *disk)
{
	struct str rest = str_from(disk), part;

	if (root->is_single)
		return false;
	while (str_next_field(&rest, '/', &part))
		if (str_starts(part, STR(".")) || str_ends(part, STR(".lock")))
			return false;
	return true;
}

enum lookup
mbox_folder_find(struct mbox_root *root, const char *disk, struct err *err)
{
	const char *path = path_of(root, disk);
	struct stat found;

	if (!is_possible(root, disk))
		return LOOKUP_NONE;
	if (stat(path, &found) == 0)
		return S_ISREG(found.st_mode) ? LOOKUP_FOUND : LOOKUP_NONE;
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return LOOKUP_NONE;
	failure(err, "stat", path);
	return LOOKUP_ERROR;
}

/* ---- opening ---- */

static enum store_result
no_folder(const struct mbox_root *root, const struct mbox_folder *folder,
	const char *why, struct err *err)
{
	err_set(err, ERR_TEMPORARY, "4.2.0", "%s: %s", why,
		folder_printable(root->base.arena, folder->name));
	return STORE_NO_FOLDER;
}

/* What is no mailbox is no folder, but there has to be an INBOX. */
static enum store_result
not_a_mailbox(const struct mbox_root *root, const struct mbox_folder *folder,
	const char *why, struct err *err)
{
	if (!folder->is_inbox)
		return no_folder(root, folder, "Mailbox is not possible", err);
	err_temp(err, "4.3.0", "%s %s", folder->path, why);
	return STORE_FAILED;
}

static enum store_result
folder_failure(const struct mbox_root *root, const struct mbox_folder *folder,
	const char *call, const char *path, struct err *err)
{
	if (errno == EISDIR)
		return not_a_mailbox(root, folder, "is a directory", err);
	if (!folder->is_inbox && (errno == ENOTDIR || errno == ENAMETOOLONG))
		return no_folder(
			root, folder, "Mailbox name is not possible", err);
	failure(err, call, path);
	return STORE_FAILED;
}

/* Looking at it must not count as reading it: that is how programs tell whether
 * there is new mail.  Only the owner may ask for that. */
static int
open_file(const char *path, int more_flags)
{
	int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
	            more_flags;
	int fd = open(path, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? open(path, flags) : fd;
}

static bool
is_trusted(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/* errno ENOENT: there is nothing by that name. */
static int
open_existing(const struct mbox_folder *folder)
{
	int fd = open_file(folder->path, O_NOFOLLOW);
	struct stat link;

	if (fd >= 0 || errno != ELOOP)
		return fd;
	if (lstat(folder->path, &link) < 0)
		return -1;
	if (!is_trusted(link.st_uid)) {
		errno = ELOOP;
		return -1;
	}
	fd = open_file(folder->path, 0);
	/* It leads nowhere, and making what it leads to is not asked for. */
	if (fd < 0 && errno == ENOENT)
		errno = ELOOP;
	return fd;
}

static bool
is_mbox(int fd, const struct stat *found)
{
	char head[5];

	return found->st_size == 0 ||
	       (fd_read_at(fd, head, sizeof(head), 0) == sizeof(head) &&
		       memcmp(head, "From ", sizeof(head)) == 0);
}

static enum store_result
check_file(const struct mbox_root *root, const struct mbox_folder *folder,
	int fd, struct err *err)
{
	struct stat found;

	if (fstat(fd, &found) < 0)
		return folder_failure(root, folder, "fstat", folder->path, err);
	if (!S_ISREG(found.st_mode))
		return not_a_mailbox(root, folder, "is no file", err);
	/* Its other name may be one we have no business with, and has another
	 * lock file. */
	if (found.st_nlink > 1)
		return not_a_mailbox(
			root, folder, "has another name, by a hard link", err);
	if (folder->is_inbox && !is_trusted(found.st_uid))
		return not_a_mailbox(root, folder,
			"belongs to another user, who could read the mail",
			err);
	if (!is_mbox(fd, &found))
		return not_a_mailbox(root, folder,
			"is no mbox: it does not begin with \"From \"", err);
	return STORE_OK;
}

/* ---- making ---- */

static bool
is_below_root(const struct mbox_root *root, const struct mbox_folder *folder)
{
	struct str path = str_from(folder->path);
	struct str top = str_from(root->base.location.root);

	return !root->is_single && str_starts(path, top) &&
	       path.len > top.len && path.data[top.len] == '/';
}

/* From the nearest directory above it that is there, up to the root.  A mail
 * spool says nothing about who may read a file in it. */
static int
permission_to_inherit(const struct mbox_root *root,
	const struct mbox_folder *folder, struct permission *permission)
{
	struct str path = paths_parent(str_from(folder->path));
	struct str top = str_from(root->base.location.root);
	struct stat found;

	permission_init_private(permission);
	if (!is_below_root(root, folder))
		return 0;
	for (; path.len >= top.len; path = paths_parent(path)) {
		const char *text = arena_text(root->base.arena, path);

		if (stat(text, &found) == 0) {
			permission_init_from(permission, &found, text);
			return 0;
		}
		if (errno != ENOENT)
			return -1;
	}
	return 0;
}

/* In a spool the system gives the group: that of the directory, or the one by
 * whose right the file is made. */
static int
create_file(const char *path)
{
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC |
	                  O_NOFOLLOW | O_NOCTTY;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == EACCES && privilege_begin_spool()) {
		fd = open(path, flags, 0600);
		privilege_end_spool();
	}
	return fd;
}

static bool
may_make(const struct mbox_root *root, const struct mbox_folder *folder,
	unsigned write_flags)
{
	return folder->is_inbox || root->base.settings->autocreate ||
	       (write_flags & STORE_CREATE_FOLDER) != 0;
}

static void
subscribe(struct mbox_root *root, const struct mbox_folder *folder,
	unsigned write_flags)
{
	if (!folder->is_inbox &&
		(root->base.settings->autosubscribe ||
			(write_flags & STORE_SUBSCRIBE_FOLDER) != 0))
		make_subscription(&root->base, &root->changed,
			str_from(folder->disk), '/');
}

static enum store_result
make_parent(struct mbox_root *root, const struct mbox_folder *folder,
	const struct permission *permission, struct err *err)
{
	const char *parent = arena_text(
		root->base.arena, paths_parent(str_from(folder->path)));
	struct stat found;

	if (stat(parent, &found) < 0 &&
		(errno != ENOENT || make_path(&root->base, &root->changed,
					    parent, permission) < 0))
		return folder_failure(root, folder, "mkdir", parent, err);
	return STORE_OK;
}

/* STORE_OK with *fd_out -1: somebody else was quicker. */
static enum store_result
make_file(struct mbox_root *root, const struct mbox_folder *folder,
	unsigned write_flags, int *fd_out, struct err *err)
{
	struct permission permission;
	enum store_result result;

	if (!may_make(root, folder, write_flags))
		return no_folder(root, folder, "Mailbox doesn't exist", err);
	if (permission_to_inherit(root, folder, &permission) < 0)
		return folder_failure(root, folder, "stat", folder->path, err);
	result = make_parent(root, folder, &permission, err);
	if (result != STORE_OK)
		return result;
	*fd_out = create_file(folder->path);
	if (*fd_out < 0)
		return errno == EEXIST ? STORE_OK
		                       : folder_failure(root, folder, "open",
						 folder->path, err);
	if (permission_apply_file(&permission, *fd_out, folder->path) < 0) {
		result = folder_failure(
			root, folder, "fchown", folder->path, err);
		fd_close(fd_out);
		return result;
	}
	paths_add(&root->changed, paths_parent(str_from(folder->path)));
	subscribe(root, folder, write_flags);
	return STORE_OK;
}

enum store_result
mbox_folder_open(struct mbox_root *root, const struct mbox_folder *folder,
	unsigned write_flags, int *fd_out, struct err *err)
{
	enum store_result result;
	int tries;

	*fd_out = -1;
	if (!folder->is_inbox && !is_possible(root, folder->disk))
		return no_folder(
			root, folder, "Mailbox name is not possible", err);
	for (tries = 0; tries < OPEN_TRIES; tries++) {
		*fd_out = open_existing(folder);
		if (*fd_out >= 0) {
			result = check_file(root, folder, *fd_out, err);
			if (result != STORE_OK)
				fd_close(fd_out);
			return result;
		}
		if (errno == ELOOP)
			return not_a_mailbox(root, folder,
				"is a symbolic link that leads nowhere or "
				"belongs to another user",
				err);
		if (errno != ENOENT)
			break;
		result = make_file(root, folder, write_flags, fd_out, err);
		if (result != STORE_OK || *fd_out >= 0)
			return result;
	}
	return folder_failure(root, folder, "open", folder->path, err);
}
