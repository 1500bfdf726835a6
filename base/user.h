/* user - the system's users and groups
 *
 * "No such" and "cannot tell" are different answers: a name service in trouble
 * must not look like an unknown user.  Reads NSS; may block on its back ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_USER_H
#define BASE_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct system_user {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *home;
};

/* The record lives in the arena.  LOOKUP_ERROR: 4.3.0. */
enum lookup user_by_name(struct arena *arena, struct str name,
	struct system_user *user_out, struct err *err);
enum lookup user_by_uid(struct arena *arena, uid_t uid,
	struct system_user *user_out, struct err *err);

/* All users that the system can name; the record is gone after the call.
 * Errors: 4.3.0. */
MUST_USE int user_for_each(
	void (*function)(const struct system_user *user, void *context),
	void *context, struct err *err);

/* A name or a number.  LOOKUP_NONE: no user (group) of that name. */
enum lookup user_parse_uid(
	struct arena *arena, struct str text, uid_t *uid_out, struct err *err);
enum lookup user_parse_gid(
	struct arena *arena, struct str text, gid_t *gid_out, struct err *err);

/* Whether some group has that number. */
enum lookup user_group_exists(struct arena *arena, gid_t gid, struct err *err);

/* What an answer without a record means.  `error` is what getpwnam_r() returned:
 * glibc gives 0 for "not there".  ENOENT and ESRCH can come from one of several
 * sources that is missing, but also from a missing /etc/passwd: they mean "not
 * there" only if the system knows uid 0.  Here for its test. */
enum lookup user_missing_means(int error, bool root_is_known);

#endif
