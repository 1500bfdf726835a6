/* userdb - who is this recipient
 *
 * A list of databases asked in order.  "Nobody of that name" (LOOKUP_NONE) and
 * "the database is in trouble" (LOOKUP_ERROR, always temporary) are never
 * confused: trouble in one is not healed by "unknown" from another.
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

struct user_field {
	struct str name;  /* without a leading "userdb_" */
	struct str value; /* "yes" for a field without "=" */
};

struct user {
	const char *name;     /* what the database calls it; for paths and logs */
	bool has_uid, has_gid;
	uid_t uid;
	gid_t gid;
	const char *home;     /* NULL when the database has none */
	const char *system_groups_user; /* NULL: no supplementary groups */
	const struct user_field *fields; /* all others: mail, quota_rule ... */
	size_t field_count;
	const char *source;   /* "passwd-file /etc/doorstep/users", for people */
};

/* One `userdb { }` block. */
struct userdb_settings {
	const char *driver; /* passwd-file, static, passwd */
	const char *args;   /* Dovecot's args line, variables not yet expanded */
	const char *default_fields;  /* "home=/srv/%u ..." used where missing */
	const char *override_fields; /* win over the database's */
	const char *file;   /* where the block stands, for messages */
	unsigned line;
};

struct userdb;

/* `settings` are borrowed.  Wrong settings (unknown driver, bad args, a static
 * driver without allow_all_users=yes) are refused here with file and line.
 * Files are opened at the first lookup. */
MUST_USE int userdb_open(const struct userdb_settings *settings, size_t count,
        struct userdb **db_out, struct err *err);
void userdb_close(struct userdb **db);

/* `name` is the whole user name, "amy" or "amy@example.org", already folded as
 * the configuration says; `service` is "lda" or "lmtp".  The record lives in the
 * arena. */
enum lookup userdb_find(struct userdb *db, struct arena *arena, struct str name,
        const char *service, const struct user **user_out, struct err *err);

/* The value of a field, or NULL. */
const struct str *user_field(const struct user *user, const char *name);

#endif
