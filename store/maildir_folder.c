/* SPDX-License-Identifier: MIT */
#include "store/maildir_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "store/failure.h"
#include "store/make.h"

#include "base/banned.h"

static const char *
path_of(const struct maildir_root *root, const char *disk)
{
	return disk[0] == '\0' ? root->base.location.root
	                       : arena_format(root->base.arena, "%s/%s",
					 root->base.location.root, disk);
}

static const char *
path_in(const struct maildir_root *root, const char *path, const char *name)
{
	return arena_format(root->base.arena, "%s/%s", path, name);
}

const char *
maildir_folder_control(const struct maildir_root *root, const char *disk)
{
	const struct location *location = &root->base.location;

	if (strcmp(location->control, location->root) != 0)
		return disk[0] == '\0' ? location->control
		                       : path_in(root, location->control, disk);
	return disk[0] == '\0' ? location->inbox : path_of(root, disk);
}

static struct maildir_folder *
find_known(struct maildir_root *root, const struct folder *folder)
{
	struct maildir_folder *known;

	for (known = root->folders; known != NULL; known = known->next)
		if (strcmp(known->disk, folder->disk) == 0)
			return known;
	known = ARENA_NEW(root->base.arena, struct maildir_folder);
	known->is_inbox = folder->is_inbox;
	known->layout = folder->layout;
	known->name = folder->name;
	known->disk = folder->disk;
	known->path = folder->is_inbox ? root->base.location.inbox
	                               : path_of(root, folder->disk);
	known->control = maildir_folder_control(root, known->disk);
	known->next = root->folders;
	root->folders = known;
	return known;
}

static enum store_result
no_folder(const struct maildir_root *root, const struct maildir_folder *folder,
	const char *why, struct err *err)
{
	err_set(err, ERR_TEMPORARY, "4.2.0", "%s: %s", why,
		folder_printable(root->base.arena, folder->name));
	return STORE_NO_FOLDER;
}

/* Errno values that say: no folder can be there, by this name. */
static bool
is_impossible(const struct maildir_folder *folder)
{
	return !folder->is_inbox && (errno == ENOTDIR || errno == ENAMETOOLONG);
}

static enum store_result
folder_failure(const struct maildir_root *root,
	const struct maildir_folder *folder, const char *call, const char *path,
	struct err *err)
{
	if (is_impossible(folder))
		return no_folder(
			root, folder, "Mailbox name is not possible", err);
	failure(err, call, path);
	return STORE_FAILED;
}

/* ---- making ---- */

/* From the nearest folder up the hierarchy that is there, the folder itself
 * included; a root that is not there is its owner's alone. */
static int
permission_to_inherit(const struct maildir_root *root,
	const struct maildir_folder *folder, struct permission *permission)
{
	const char *disk = folder->disk, *path = folder->path;
	struct stat found;

	permission_init_private(permission);
	for (;;) {
		if (stat(path, &found) == 0) {
			permission_init_from(permission, &found, path);
			return 0;
		}
		if (errno != ENOENT)
			return -1;
		if (disk[0] == '\0')
			return 0;
		disk = folder_parent(root->base.arena, folder->layout, disk);
		path = path_of(root, disk);
	}
}

static bool
is_dangling_link(const char *path)
{
	struct stat found;

	return lstat(path, &found) == 0 && S_ISLNK(found.st_mode) &&
	       stat(path, &found) < 0 && errno == ENOENT;
}

static int
make_part(struct maildir_root *root, const struct maildir_folder *folder,
	const char *part, const struct permission *permission)
{
	const char *path = path_in(root, folder->path, part);

	if (permission_make_folder(permission, path) < 0 && errno != EEXIST)
		return -1;
	paths_add(&root->changed, str_from(folder->path));
	return 0;
}

int
maildir_folder_make_part(struct maildir_root *root,
	struct maildir_folder *folder, const char *part, struct err *err)
{
	if (make_part(root, folder, part, &folder->permission) < 0)
		return failure(err, "mkdir", path_in(root, folder->path, part));
	return 0;
}

int
maildir_folder_make_control(
	struct maildir_root *root, const struct maildir_folder *folder)
{
	if (strcmp(folder->control, folder->path) == 0 ||
		access(folder->control, F_OK) == 0)
		return 0;
	return make_path(&root->base, &root->changed, folder->control,
		&folder->permission);
}

/* Tells a delivery agent that sees only the sub-folder to look one level up
 * for the quota. */
static int
make_mark(struct maildir_root *root, const struct maildir_folder *folder,
	const struct permission *permission)
{
	const char *path = path_in(root, folder->path, "maildirfolder");
	int fd, result;

	if (folder->is_inbox || folder->layout != STORE_LAYOUT_MAILDIRPP)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	result = permission_apply_file(permission, fd, path);
	fd_close(&fd);
	return result;
}

/* cur/ comes last: a folder that has it is complete. */
static enum store_result
make_folder(struct maildir_root *root, struct maildir_folder *folder,
	const struct permission *permission, struct err *err)
{
	if (make_path(&root->base, &root->changed, folder->path, permission) <
		0)
		return folder_failure(root, folder, "mkdir", folder->path, err);
	if (make_part(root, folder, "tmp", permission) < 0 ||
		make_part(root, folder, "new", permission) < 0 ||
		make_mark(root, folder, permission) < 0 ||
		make_part(root, folder, "cur", permission) < 0) {
		if (errno == ENOENT && is_dangling_link(folder->path)) {
			err_temp(err, "4.3.0",
				"%s is a symbolic link that leads nowhere",
				folder->path);
			return STORE_FAILED;
		}
		return folder_failure(
			root, folder, "making a Maildir", folder->path, err);
	}
	return STORE_OK;
}

static void
subscribe(struct maildir_root *root, const struct maildir_folder *folder)
{
	struct str name = str_from(folder->disk);

	if (folder->layout == STORE_LAYOUT_MAILDIRPP)
		name = str_skip(name, 1);
	make_subscription(&root->base, &root->changed, name,
		folder_separator(folder->layout));
}

static enum lookup
has_cur(const struct maildir_root *root, const char *path, struct err *err)
{
	const char *cur = path_in(root, path, "cur");
	struct stat found;

	if (stat(cur, &found) == 0)
		return S_ISDIR(found.st_mode) ? LOOKUP_FOUND : LOOKUP_NONE;
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return LOOKUP_NONE;
	failure(err, "stat", cur);
	return LOOKUP_ERROR;
}

enum lookup
maildir_folder_find(
	struct maildir_root *root, const char *disk, struct err *err)
{
	return has_cur(root, path_of(root, disk), err);
}

static bool
may_make(const struct maildir_root *root, const struct maildir_folder *folder,
	unsigned write_flags)
{
	return folder->is_inbox || root->base.settings->autocreate ||
	       (write_flags & STORE_CREATE_FOLDER) != 0;
}

static bool
may_subscribe(const struct maildir_root *root,
	const struct maildir_folder *folder, unsigned write_flags)
{
	return !folder->is_inbox &&
	       (root->base.settings->autosubscribe ||
		       (write_flags & STORE_SUBSCRIBE_FOLDER) != 0);
}

enum store_result
maildir_folder_repair(struct maildir_root *root, struct maildir_folder *folder,
	unsigned write_flags, struct err *err)
{
	enum lookup was_there = has_cur(root, folder->path, err);
	struct permission permission;
	enum store_result result;

	if (was_there == LOOKUP_ERROR)
		return STORE_FAILED;
	if (was_there == LOOKUP_NONE && !may_make(root, folder, write_flags))
		return no_folder(root, folder, "Mailbox doesn't exist", err);
	if (permission_to_inherit(root, folder, &permission) < 0)
		return folder_failure(root, folder, "stat", folder->path, err);
	result = make_folder(root, folder, &permission, err);
	if (result == STORE_OK && was_there == LOOKUP_NONE &&
		may_subscribe(root, folder, write_flags))
		subscribe(root, folder);
	return result;
}

/* ---- finding ---- */

static bool
load_permission(struct maildir_folder *folder)
{
	struct stat found;

	if (stat(folder->path, &found) < 0)
		return false;
	if (!S_ISDIR(found.st_mode)) {
		errno = ENOTDIR;
		return false;
	}
	permission_init_from(&folder->permission, &found, folder->path);
	folder->is_ready = true;
	return true;
}

enum store_result
maildir_folder_open(struct maildir_root *root, const struct folder *folder,
	unsigned write_flags, struct maildir_folder **folder_out,
	struct err *err)
{
	struct maildir_folder *known = find_known(root, folder);
	enum store_result result;

	*folder_out = known;
	if (known->is_ready || load_permission(known))
		return STORE_OK;
	if (errno == ENOENT) {
		result = maildir_folder_repair(root, known, write_flags, err);
		if (result != STORE_OK || load_permission(known))
			return result;
	}
	return folder_failure(root, known, "stat", known->path, err);
}

/* ---- listing ---- */

/* Whether an entry may be a folder of ours; what the disk does not say at once
 * is left to whoever looks into it. */
static bool
may_be_folder(enum store_layout layout, const struct dirent *entry)
{
	struct str name = str_from(entry->d_name);

	if (entry->d_type != DT_DIR && entry->d_type != DT_LNK &&
		entry->d_type != DT_UNKNOWN)
		return false;
	switch (layout) {
	case STORE_LAYOUT_MAILDIRPP:
		return str_starts(name, STR(".")) && !str_is(name, ".") &&
		       !str_is(name, "..");
	case STORE_LAYOUT_FS:
		return !str_starts(name, STR(".")) && !str_is(name, "cur") &&
		       !str_is(name, "new") && !str_is(name, "tmp");
	}
	return false;
}

/* -1 with errno. */
static int
list_entries(DIR *folder, enum store_layout layout, const char *disk,
	struct store_names *names)
{
	const struct dirent *entry;

	while (names->count < names->most) {
		errno = 0;
		entry = readdir(folder);
		if (entry == NULL)
			return errno == 0 ? 0 : -1;
		if (may_be_folder(layout, entry))
			store_names_add(names,
				disk[0] == '\0'
					? arena_text(names->arena,
						  str_from(entry->d_name))
					: arena_format(names->arena, "%s/%s",
						  disk, entry->d_name));
	}
	return 0;
}

int
maildir_folder_list(struct maildir_root *root, const char *disk,
	struct store_names *names, struct err *err)
{
	const char *path = path_of(root, disk);
	DIR *folder = opendir(path);
	int result;

	if (folder == NULL && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (folder == NULL)
		return failure(err, "opendir", path);
	result = list_entries(folder, root->base.location.layout, disk, names);
	if (result < 0)
		failure(err, "readdir", path);
	closedir(folder);
	return result;
}

void
maildir_folder_parts(
	struct maildir_root *root, const char *disk, struct store_names *paths)
{
	const char *path = disk[0] == '\0' ? root->base.location.inbox
	                                   : path_of(root, disk);

	store_names_add(paths, path_in(root, path, "new"));
	store_names_add(paths, path_in(root, path, "cur"));
}

int
maildir_folder_inbox_control(struct maildir_root *root,
	const struct folder *inbox, bool make, const char **path_out,
	struct err *err)
{
	struct maildir_folder *known = find_known(root, inbox);

	*path_out = known->control;
	if (!make || strcmp(known->control, known->path) == 0)
		return 0;
	if (!known->is_ready && !load_permission(known))
		permission_init_private(&known->permission);
	if (maildir_folder_make_control(root, known) < 0)
		return failure(err, "mkdir", known->control);
	return 0;
}

/* ---- cleaning ---- */

static void
remove_old(DIR *tmp, time_t now)
{
	const struct dirent *entry;
	unsigned looked_at = 0;
	struct stat found;

	while (looked_at++ < MAILDIR_TEMP_FILES_MAX &&
		(entry = readdir(tmp)) != NULL) {
		if (entry->d_name[0] == '.' ||
			fstatat(dirfd(tmp), entry->d_name, &found,
				AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		/* The time of change: the other times can be set. */
		if (S_ISREG(found.st_mode) &&
			now - found.st_ctim.tv_sec > MAILDIR_TEMP_AGE_S &&
			unlinkat(dirfd(tmp), entry->d_name, 0) < 0)
			log_debug("unlink(%s) in tmp failed", entry->d_name);
	}
}

void
maildir_folder_clean(const struct maildir_folder *folder, uint64_t interval_ms)
{
	static const struct timespec times[2] = {
		{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
	time_t now = clock_now().tv_sec;
	struct stat found;
	char path[4096];
	DIR *tmp;
	int len = snprintf(path, sizeof(path), "%s/tmp", folder->path);

	if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &found) < 0 ||
		now - found.st_atim.tv_sec < (time_t)(interval_ms / 1000))
		return;
	/* Before the work, so that others do not begin it as well; who cannot
	 * mark it done would do it for each mail. */
	if (utimensat(AT_FDCWD, path, times, 0) < 0)
		return;
	tmp = opendir(path);
	if (tmp == NULL)
		return;
	remove_old(tmp, now);
	closedir(tmp);
}
