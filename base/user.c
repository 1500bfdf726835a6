/* SPDX-License-Identifier: MIT */
#include "base/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>

#include "base/number.h"

#include "base/banned.h"

enum { RECORD_BYTES = 1024, RECORD_BYTES_MAX = 1024 * 1024 };

enum lookup
user_missing_means(int error, bool root_is_known)
{
	if (error == 0)
		return LOOKUP_NONE;
	if ((error == ENOENT || error == ESRCH) && root_is_known)
		return LOOKUP_NONE;
	return LOOKUP_ERROR;
}

static bool
is_root_known(struct arena *arena)
{
	struct passwd record, *found = NULL;
	int error;

	do
		error = getpwuid_r(0, &record, arena_alloc(arena, RECORD_BYTES),
			RECORD_BYTES, &found);
	while (error == EINTR);
	/* Too long a record is one as well. */
	return found != NULL || error == ERANGE;
}

/* Is it certain that there is no such user? */
static bool
means_unknown(struct arena *arena, int error)
{
	return user_missing_means(error, error != 0 && is_root_known(arena)) ==
	       LOOKUP_NONE;
}

static enum lookup
trouble(struct err *err, const char *what, int error)
{
	errno = error;
	err_temp_errno(err, "4.3.0", "cannot look up %s", what);
	return LOOKUP_ERROR;
}

static enum lookup
take_record(struct arena *arena, const struct passwd *record,
	struct system_user *user_out)
{
	user_out->name = arena_text(arena, str_from(record->pw_name));
	user_out->uid = record->pw_uid;
	user_out->gid = record->pw_gid;
	user_out->home = arena_text(arena, str_from(record->pw_dir));
	return LOOKUP_FOUND;
}

int
user_for_each(void (*function)(const struct system_user *user, void *context),
	void *context, struct err *err)
{
	struct passwd *record;
	int error;

	setpwent();
	for (;;) {
		errno = 0;
		record = getpwent();
		if (record == NULL)
			break;
		function(&(struct system_user){.name = record->pw_name,
				 .uid = record->pw_uid,
				 .gid = record->pw_gid,
				 .home = record->pw_dir},
			context);
	}
	error = errno;
	endpwent();
	/* Some sources say so at their end. */
	if (error == 0 || error == ENOENT || error == ESRCH)
		return 0;
	trouble(err, "all users", error);
	return -1;
}

/* `name` is NULL for a lookup by uid. */
static enum lookup
find_user(struct arena *arena, const char *name, uid_t uid,
	struct system_user *user_out, struct err *err)
{
	size_t size;

	for (size = RECORD_BYTES; size <= RECORD_BYTES_MAX; size *= 4) {
		char *bytes = arena_alloc(arena, size);
		struct passwd record, *found = NULL;
		int error;

		do
			error = name != NULL ? getpwnam_r(name, &record, bytes,
						       size, &found)
			                     : getpwuid_r(uid, &record, bytes,
						       size, &found);
		while (error == EINTR);
		if (error == ERANGE)
			continue;
		if (found != NULL)
			return take_record(arena, found, user_out);
		if (means_unknown(arena, error))
			return LOOKUP_NONE;
		return trouble(err, name != NULL ? name : "own uid", error);
	}
	return trouble(err, name != NULL ? name : "own uid", ERANGE);
}

enum lookup
user_by_name(struct arena *arena, struct str name, struct system_user *user_out,
	struct err *err)
{
	if (name.len == 0 || str_has_char(name, '\0'))
		return LOOKUP_NONE;
	return find_user(arena, arena_text(arena, name), 0, user_out, err);
}

enum lookup
user_by_uid(struct arena *arena, uid_t uid, struct system_user *user_out,
	struct err *err)
{
	return find_user(arena, NULL, uid, user_out, err);
}

/* (uid_t)-1 means "leave as it is" to the kernel and is nobody's. */
static bool
parse_id(struct str text, uint32_t *id_out)
{
	uint64_t number;

	if (number_parse(text, &number) < 0 || number >= UINT32_MAX)
		return false;
	*id_out = (uint32_t)number;
	return true;
}

enum lookup
user_parse_uid(
	struct arena *arena, struct str text, uid_t *uid_out, struct err *err)
{
	struct system_user user;
	enum lookup found;

	if (parse_id(text, uid_out))
		return LOOKUP_FOUND;
	found = user_by_name(arena, text, &user, err);
	if (found == LOOKUP_FOUND)
		*uid_out = user.uid;
	return found;
}

/* `name` is NULL for a lookup by number. */
static enum lookup
find_group(struct arena *arena, const char *name, gid_t *gid, struct err *err)
{
	const char *what = name != NULL ? name : "a group";
	size_t size;

	for (size = RECORD_BYTES; size <= RECORD_BYTES_MAX; size *= 4) {
		char *bytes = arena_alloc(arena, size);
		struct group record, *found = NULL;
		int error;

		do
			error = name != NULL ? getgrnam_r(name, &record, bytes,
						       size, &found)
			                     : getgrgid_r(*gid, &record, bytes,
						       size, &found);
		while (error == EINTR);
		if (error == ERANGE)
			continue;
		if (found != NULL) {
			*gid = found->gr_gid;
			return LOOKUP_FOUND;
		}
		if (means_unknown(arena, error))
			return LOOKUP_NONE;
		return trouble(err, what, error);
	}
	return trouble(err, what, ERANGE);
}

enum lookup
user_parse_gid(
	struct arena *arena, struct str text, gid_t *gid_out, struct err *err)
{
	if (parse_id(text, gid_out))
		return LOOKUP_FOUND;
	if (text.len == 0 || str_has_char(text, '\0'))
		return LOOKUP_NONE;
	return find_group(arena, arena_text(arena, text), gid_out, err);
}

enum lookup
user_group_exists(struct arena *arena, gid_t gid, struct err *err)
{
	return find_group(arena, NULL, &gid, err);
}
