/* userdb - who is this recipient
 *
 * A list of databases asked in order; the first that knows the name answers.
 * "Nobody of that name" (LOOKUP_NONE) and "the database is in trouble"
 * (LOOKUP_ERROR, always temporary) are never confused: a database in trouble
 * ends the search, because it might hold the record that was to come first; and
 * without any database nobody is unknown, everything is in trouble.
 *
 *   passwd        the system's users (NSS)
 *   passwd-file   args = [username_format=%n] PATH
 *                 lines user:password:uid:gid:(gecos):home:(shell):extra
 *   static        args = allow_all_users=yes uid=vmail gid=vmail home=/srv/%d/%n
 *
 * In values %u %n %d are the name asked for, %s the service, %h the home when it
 * is known by then.  In default_fields and override_fields %u %n %d are the name
 * that the record has, so that two addresses with user=amy share one home.
 * A field "name:default" counts only where name is missing, "name:remove" takes
 * it away, "name:protected" is like "name".
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USERDB_USERDB_H
#define USERDB_USERDB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	USERDB_NAME_MAX = 512,  /* bytes of a name; a longer one is nobody's */
	USERDB_FIELDS_MAX = 200 /* in one record; more are trouble */
};

struct user_field {
	struct str name;  /* without a leading "userdb_" */
	struct str value; /* "yes" for a field without "=" */
};

struct user {
	const char *name; /* what the database calls it; for paths and logs */
	bool has_uid, has_gid;
	uid_t uid;
	gid_t gid;
	const char *home; /* absolute; NULL when the database has none */
	const char *system_groups_user;  /* NULL: no supplementary groups */
	const struct user_field *fields; /* all others: mail, quota_rule ... */
	size_t field_count;
	struct str
		password; /* "{SCHEME}..."; empty: none; nobody else's business */
	const char *source; /* "passwd-file /etc/doorstep/users", for people */
};

/* One `userdb { }` block. */
struct userdb_settings {
	const char *driver; /* passwd-file, static, passwd */
	const char *args; /* Dovecot's args line, variables not yet expanded */
	const char *default_fields;  /* "home=/srv/%u ..." used where missing */
	const char *override_fields; /* win over the database's */
	const char *file;            /* where the block stands, for messages */
	unsigned line;
};

struct userdb;

/* `settings` are borrowed.  Wrong settings (unknown driver, bad args, a static
 * driver without allow_all_users=yes) are refused here, 4.3.5 with file and
 * line.  Files are read at each lookup. */
MUST_USE int userdb_open(const struct userdb_settings *settings, size_t count,
	struct userdb **db_out, struct err *err);
void userdb_close(struct userdb **db);

/* For a process that asks often: what was read is kept between lookups, within
 * bounds, and read anew when it has changed.  The answers are the same. */
void userdb_keep(struct userdb *db);

/* The folders whose files it reads, apart from those of name services; the list
 * lives in the arena. */
const char *const *userdb_folders(
	const struct userdb *db, struct arena *arena, size_t *count_out);

/* `name` is the whole user name, "amy" or "amy@example.org", already folded as
 * the configuration says; `service` is "lda" or "lmtp".  The record lives in the
 * arena.  A harmful name is nobody's. */
enum lookup userdb_find(struct userdb *db, struct arena *arena, struct str name,
	const char *service, const struct user **user_out,
	struct err *err) MUST_USE;

/* ---- everybody ---- */

struct userdb_name {
	struct str name; /* as userdb_find() takes it */
	bool has_uid;    /* the system's own: most of them get no mail */
	uid_t uid;
};

struct userdb_names {
	struct userdb_name *items; /* a name may come twice */
	size_t count, size;
	const char *unlisted; /* a driver that cannot tell; NULL: none */
};

/* All names that the databases can list, in the arena. */
MUST_USE int userdb_list(struct userdb *db, struct arena *arena,
	struct userdb_names *names_out, struct err *err);

/* A name that could do harm as part of a path or of a line: empty or too long,
 * not UTF-8, with control characters or "/", with "." or ".." as a whole or on
 * one side of an "@". */
bool userdb_name_is_harmful(struct str name);

/* The value of a field, or NULL. */
const struct str *user_field(const struct user *user, const char *name);

#endif
