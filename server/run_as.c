/* SPDX-License-Identifier: MIT */
#include "server/run_as.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/user.h"

#include "base/banned.h"

#define MAKE_USER                                                              \
	"useradd --system --user-group --no-create-home "                      \
	"--home-dir /nonexistent --shell /usr/sbin/nologin"

/* ---- users ---- */

/* Far enough from the ends of the range that numbers given out by counting are
 * not met first. */
enum { LOGIN_FROM = 64240, INTERNAL_FROM = 64250, MAILER_FROM = 64260 };

/* Is the number a user's or a group's? */
static enum lookup
find_number(struct arena *arena, unsigned number, struct err *err)
{
	struct system_user user;
	enum lookup found = user_by_uid(arena, number, &user, err);

	if (found != LOOKUP_NONE)
		return found;
	return user_group_exists(arena, number, err);
}

enum lookup
run_as_free_number(struct arena *arena, unsigned from, unsigned taken,
	unsigned *number_out, struct err *err)
{
	const unsigned count = RUN_AS_FREE_LAST - RUN_AS_FREE_FIRST + 1;
	unsigned i;

	for (i = 0; i < count; i++) {
		unsigned number = RUN_AS_FREE_FIRST +
		                  (from - RUN_AS_FREE_FIRST + i) % count;
		enum lookup found;

		if (number == taken)
			continue;
		found = find_number(arena, number, err);
		if (found == LOOKUP_ERROR)
			return LOOKUP_ERROR;
		if (found == LOOKUP_NONE) {
			*number_out = number;
			return LOOKUP_FOUND;
		}
	}
	return LOOKUP_NONE;
}

static int
take_free_number(struct arena *arena, const char *key, const char *name,
	unsigned from, unsigned taken, struct identity *identity,
	struct err *err)
{
	unsigned number;
	enum lookup found =
		run_as_free_number(arena, from, taken, &number, err);

	if (found == LOOKUP_ERROR)
		return -1;
	if (found == LOOKUP_NONE)
		return err_temp(err, "4.3.5",
			"%s: there is no user %s, and no number from %d to %d "
			"is free; make the user with: " MAKE_USER " %s",
			key, name, RUN_AS_FREE_FIRST, RUN_AS_FREE_LAST, name);
	log_warning("%s: there is no user %s; running as uid %u in its place. "
		    "Make it with: " MAKE_USER " %s",
		key, name, number, name);
	*identity = (struct identity){.uid = number, .gid = number};
	return 0;
}

static enum lookup
find_user(struct arena *arena, const char *name, struct system_user *user,
	struct err *err)
{
	enum lookup found = user_by_name(arena, str_from(name), user, err);
	uid_t uid;

	/* A number is as good, if there is somebody who has it. */
	if (found != LOOKUP_NONE || user_parse_uid(arena, str_from(name), &uid,
					    err) != LOOKUP_FOUND)
		return found;
	return user_by_uid(arena, uid, user, err);
}

static int
find_identity(struct arena *arena, const struct settings *settings,
	const char *key, const char *name, unsigned from, unsigned taken,
	struct identity *identity, struct err *err)
{
	struct conf_place place = conf_place(settings, key);
	struct system_user user;
	enum lookup found = find_user(arena, name, &user, err);

	if (found == LOOKUP_ERROR)
		return -1;
	if (found == LOOKUP_NONE && place.file[0] == '\0')
		return take_free_number(
			arena, key, name, from, taken, identity, err);
	if (found == LOOKUP_NONE)
		return err_temp(err, "4.3.5",
			"%s%s: there is no user %s; make it "
			"with: " MAKE_USER " %s",
			conf_place_text(arena, place), key, name, name);
	if (user.uid == 0)
		return err_temp(err, "4.3.5",
			"%s%s: found %s, which is root; expected a user "
			"that may do nothing else",
			conf_place_text(arena, place), key, name);
	*identity = (struct identity){.uid = user.uid, .gid = user.gid};
	return privilege_groups(arena, user.name, user.gid, identity, err);
}

static void
warn_of_one_user(const struct settings *settings, const struct run_as *run_as)
{
	if (run_as->login.uid == run_as->internal.uid)
		log_warning("default_login_user and default_internal_user are "
			    "both %s: who breaks into the process that speaks "
			    "with clients gets the user databases as well",
			settings->default_login_user);
}

int
run_as_find(struct arena *arena, const struct settings *settings,
	struct run_as *run_as_out, struct err *err)
{
	struct run_as *run_as = run_as_out;

	*run_as = (struct run_as){.is_root = privilege_is_root()};
	if (!run_as->is_root) {
		run_as->login =
			(struct identity){.uid = geteuid(), .gid = getegid()};
		run_as->internal = run_as->mailer = run_as->login;
		return 0;
	}
	if (find_identity(arena, settings, "default_login_user",
		    settings->default_login_user, LOGIN_FROM, 0, &run_as->login,
		    err) < 0 ||
		find_identity(arena, settings, "default_internal_user",
			settings->default_internal_user, INTERNAL_FROM,
			run_as->login.uid, &run_as->internal, err) < 0 ||
		find_identity(arena, settings, "default_mailer_user",
			settings->default_mailer_user, MAILER_FROM,
			run_as->internal.uid, &run_as->mailer, err) < 0)
		return -1;
	/* It opens no file, so that no group is of use to it. */
	run_as->login.groups = NULL;
	run_as->login.group_count = 0;
	warn_of_one_user(settings, run_as);
	return 0;
}

/* ---- folders ---- */

static int
fail(struct err *err, const char *key, const char *path)
{
	unsigned long uid = (unsigned long)geteuid();

	return err_temp(err, "4.3.5",
		"%s: cannot make or use %s as uid %lu: %s; make it for that "
		"user, or set %s to a folder that uid %lu may write",
		key, path, uid, strerror(errno), key, uid);
}

/* mkdir with the folders above it, which others have to pass whatever the umask
 * is. */
static int
make_path(const char *path, bool *is_new_out)
{
	char text[4096];
	size_t at;

	if (snprintf(text, sizeof(text), "%s", path) >= (int)sizeof(text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (at = 1; text[at] != '\0'; at++) {
		if (text[at] != '/')
			continue;
		text[at] = '\0';
		if (mkdir(text, 0755) == 0) {
			if (chmod(text, 0755) < 0)
				return -1;
		} else if (errno != EEXIST && errno != EROFS &&
			   errno != EACCES) {
			return -1;
		}
		text[at] = '/';
	}
	*is_new_out = mkdir(text, 0700) == 0;
	return *is_new_out || errno == EEXIST ? 0 : -1;
}

/* A folder that can be written, opened; -1 with err. */
static int
make_folder(const char *key, const char *path, unsigned mode, struct err *err)
{
	bool is_new;
	int fd;

	if (make_path(path, &is_new) < 0)
		return fail(err, key, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, key, path);
	/* Whatever the umask is; what the admin made stays as it is. */
	if ((is_new && fchmod(fd, mode) < 0) ||
		faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
		fail(err, key, path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Folders within the one that is handed over. */
enum { HAND_OVER_DEPTH = 3 };

static int hand_over_files(
	int folder, const struct identity *owner, unsigned depth);

/* A file with a second name may be somebody else's who put it there. */
static int
hand_over_file(int folder, const char *name, const struct identity *owner,
	unsigned depth)
{
	struct stat status;
	int fd, result = 0;

	fd = openat(folder, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? 0 : -1;
	if (fstat(fd, &status) < 0)
		result = -1;
	else if (S_ISREG(status.st_mode) && status.st_nlink == 1)
		result = fchown(fd, owner->uid, owner->gid);
	else if (S_ISDIR(status.st_mode) && depth < HAND_OVER_DEPTH &&
		 (fchown(fd, 0, 0) < 0 ||
			 hand_over_files(fd, owner, depth + 1) < 0 ||
			 fchown(fd, owner->uid, owner->gid) < 0))
		result = -1;
	close(fd);
	return result;
}

static int
hand_over_files(int folder, const struct identity *owner, unsigned depth)
{
	int fd = fcntl(folder, F_DUPFD_CLOEXEC, 0), result = 0;
	DIR *files = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (files == NULL) {
		fd_close(&fd);
		return -1;
	}
	while (result == 0 && (entry = readdir(files)) != NULL)
		if (entry->d_name[0] != '.')
			result = hand_over_file(
				folder, entry->d_name, owner, depth);
	closedir(files);
	return result;
}

static int
own(int folder, const struct identity *owner)
{
	struct stat status;

	if (fstat(folder, &status) < 0)
		return -1;
	if (status.st_uid != owner->uid || status.st_gid != owner->gid) {
		/* Nobody else may be in it while its files change hands. */
		if (fchown(folder, 0, 0) < 0 || fchmod(folder, 0700) < 0 ||
			hand_over_files(folder, owner, 0) < 0 ||
			fchown(folder, owner->uid, owner->gid) < 0)
			return -1;
	}
	return fchmod(folder, 0700);
}

static int
make_env(int state, const struct run_as *run_as)
{
	int fd, result = 0;

	if (mkdirat(state, "env", 0700) < 0 && errno != EEXIST)
		return -1;
	fd = openat(
		state, "env", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (run_as->is_root)
		result = own(fd, &run_as->internal);
	else
		result = faccessat(fd, ".", W_OK | X_OK, AT_EACCESS);
	close(fd);
	return result;
}

int
run_as_make_folders(const struct settings *settings,
	const struct run_as *run_as, struct err *err)
{
	const unsigned state_mode = run_as->is_root ? 0755 : 0700;
	int base, state, result;
	char path[4096];

	base = make_folder("base_dir", settings->base_dir, 0755, err);
	if (base < 0)
		return -1;
	close(base);
	state = make_folder("state_dir", settings->state_dir, state_mode, err);
	if (state < 0)
		return -1;
	result = make_env(state, run_as);
	if (result < 0) {
		snprintf(path, sizeof(path), "%s/env", settings->state_dir);
		fail(err, "state_dir", path);
	}
	close(state);
	return result;
}

/* Nobody but root may put anything there. */
static bool
is_empty_root(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
	       status.st_uid == 0 && (status.st_mode & 0022) == 0;
}

int
run_as_make_root(struct arena *arena, const struct settings *settings,
	struct run_as *run_as, struct err *err)
{
	const char *path = arena_format(arena, "%s/empty", settings->base_dir);

	if (!run_as->is_root)
		return 0;
	/* Whatever the umask is. */
	if ((mkdir(path, 0500) < 0 && errno != EEXIST) ||
		!is_empty_root(path) || chmod(path, 0555) < 0)
		return err_temp(err, "4.3.5",
			"base_dir: cannot make %s, an empty folder that only "
			"root may write; remove what is there",
			path);
	run_as->root = path;
	return 0;
}
