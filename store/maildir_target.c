/* SPDX-License-Identifier: MIT */
#include "store/maildir_target.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/failure.h"
#include "store/paths.h"

#include "base/banned.h"

/* A file that is renamed while a folder is read may be missed (POSIX readdir). */
enum { SCANS = 2 };

static bool
is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* FOLDER/PART/NAME */
struct place {
	struct str folder;
	struct str part;
	struct str name;
};

static struct place
place_of(const char *path)
{
	struct str all = str_from(path), above = paths_parent(all);
	struct place place = {.folder = paths_parent(above)};
	size_t slash = str_find_last_char(all, '/');

	place.name = str_skip(all, slash + 1);
	place.part = str_skip(above, str_find_last_char(above, '/') + 1);
	return place;
}

bool
maildir_target_is_below(const struct location *location, const char *target)
{
	struct place place = place_of(target);

	if (!is_below(target, location->root) &&
		!is_below(target, location->inbox))
		return false;
	return strstr(target, "/../") == NULL && place.name.len > 0 &&
	       place.name.data[0] != '.' &&
	       (str_is(place.part, "new") || str_is(place.part, "cur"));
}

bool
maildir_target_is_in(const char *target, const char *folder)
{
	return str_is(place_of(target).folder, folder);
}

/* LOOKUP_NONE: nothing of that name. */
static enum lookup
is_there(const char *path, struct err *err)
{
	struct stat found;

	if (lstat(path, &found) == 0)
		return LOOKUP_FOUND;
	if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		return LOOKUP_NONE;
	failure(err, "lstat", path);
	return LOOKUP_ERROR;
}

/* The name without its flags is what stays of it. */
static bool
is_same_mail(const char *entry, struct str stem)
{
	struct str name = str_from(entry);

	return str_starts(name, stem) &&
	       (name.len == stem.len || name.data[stem.len] == ':');
}

static enum lookup
scan(struct arena *arena, const char *path, struct str stem,
	const char **path_out, struct err *err)
{
	DIR *folder = opendir(path);
	enum lookup result = LOOKUP_NONE;
	struct dirent *entry;

	if (folder == NULL && (errno == ENOENT || errno == ENOTDIR))
		return LOOKUP_NONE;
	if (folder == NULL) {
		failure(err, "opendir", path);
		return LOOKUP_ERROR;
	}
	while (result == LOOKUP_NONE) {
		errno = 0;
		entry = readdir(folder);
		if (entry == NULL)
			break;
		if (!is_same_mail(entry->d_name, stem))
			continue;
		*path_out = arena_format(arena, "%s/%s", path, entry->d_name);
		result = LOOKUP_FOUND;
	}
	if (result == LOOKUP_NONE && errno != 0) {
		failure(err, "readdir", path);
		result = LOOKUP_ERROR;
	}
	closedir(folder);
	return result;
}

enum lookup
maildir_target_find(struct arena *arena, const char *target,
	const char **path_out, struct err *err)
{
	struct place place = place_of(target);
	struct str stem =
		str_slice(place.name, 0, str_find_char(place.name, ':'));
	const char *cur =
		arena_format(arena, "%.*s/cur", STR_ARG(place.folder));
	enum lookup found = is_there(target, err);
	int tries;

	*path_out = target;
	for (tries = 0; found == LOOKUP_NONE && tries < SCANS; tries++)
		found = scan(arena, cur, stem, path_out, err);
	return found;
}

int
maildir_target_flush(struct arena *arena, const struct location *location,
	const char *path, struct err *err)
{
	struct str above = paths_parent(str_from(path));
	struct str root = paths_parent(str_from(location->root));
	struct paths paths;

	paths_init(&paths, arena);
	if (!is_below(path, location->root))
		root = paths_parent(str_from(location->inbox));
	for (; above.len >= root.len && above.len > 1;
		above = paths_parent(above))
		paths_add(&paths, above);
	return paths_flush(&paths, err);
}

void
maildir_target_remove(const char *path)
{
	if (str_is(place_of(path).part, "new") && unlink(path) < 0 &&
		errno != ENOENT)
		log_warning("unlink(%s) failed: %s", path, strerror(errno));
}
