/* recipient - from an address to a user, a detail and an identity
 *
 *   Amy.Reed+Lists@Example.org
 *     user name  amy.reed@example.org   (folded; what the databases are asked)
 *     detail     Lists                  (spelling kept)
 *     address    Amy.Reed+Lists@Example.org   (for headers and Sieve)
 *
 * Runs before privilege is given up: looks at databases, at nothing of the
 * user's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_RECIPIENT_H
#define DELIVER_RECIPIENT_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/privilege.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/route.h"
#include "conf/conf.h"
#include "userdb/userdb.h"

struct recipient {
	const char *name;  /* the user's name, as the database spells it */
	struct str asked;  /* what the database was asked */
	struct str detail; /* behind the delimiter; empty when there is none */
	const char *home;  /* NULL: none */
	struct identity identity;
	const struct user *user; /* the record; NULL without a database */
	struct route route;      /* recipient_find_route(): where it is not
	                     * ROUTE_LOCAL there is no home and no identity */
	const struct settings *settings; /* with the record's own put in */
};

/* Splits the local part at the first of recipient_delimiter's characters; one at
 * the very start is part of the name. */
void recipient_split(const struct settings *settings, struct str local_part,
	struct str *user_out, struct str *detail_out);

/* The databases of the configuration, in order; the system's users where it has
 * none.  -1: 4.3.5. */
MUST_USE int recipient_open_userdb(struct arena *arena,
	const struct settings *settings, struct userdb **db_out,
	struct err *err);
void recipient_close_userdb(struct userdb **db);

/* For a process that asks often (userdb_keep()). */
void recipient_keep_userdb(struct userdb *db);

/* userdb_folders(). */
const char *const *recipient_userdb_folders(
	const struct userdb *db, struct arena *arena, size_t *count_out);

/* Looks the address up and completes the record: uid, gid, groups and home from
 * the record or from mail_uid, mail_gid, mail_home; limits first_valid_uid ...
 * checked.  `postmaster` without a domain is never unknown when
 * postmaster_address leads to a user (RFC 5321 4.5.1).
 * Errors: ERR_NO_USER 5.1.1; 4.3.0 trouble; 4.3.5 a wrong configuration, or a
 * user whose mail goes on to another host; 5.2.900 and 5.3.5 nologin. */
MUST_USE int recipient_find(struct arena *arena,
	const struct settings *settings, struct userdb *db,
	const struct address *address, const char *service,
	struct recipient *recipient_out, struct err *err);

/* The same for who passes mail on: with lmtp_proxy = yes `route` says whether the
 * user is at home here; else the record needs no more than that. */
MUST_USE int recipient_find_route(struct arena *arena,
	const struct settings *settings, struct userdb *db,
	const struct address *address, const char *service,
	struct recipient *recipient_out, struct err *err);

/* A recipient of ROUTE_PROXY that lives here after all (proxy_maybe): what
 * recipient_find() completes. */
MUST_USE int recipient_take_home(struct arena *arena,
	const struct settings *settings, struct recipient *recipient,
	struct err *err);

/* The record of whom a client says it is: the whole name, in the form of
 * auth_username_format; nothing is taken for a detail. */
MUST_USE enum lookup recipient_find_login(struct arena *arena,
	const struct settings *settings, struct userdb *db, struct str name,
	const char *service, const struct user **user_out, struct err *err);

/* The identity of all users for whom the databases name none: mail_uid, mail_gid,
 * the groups.  LOOKUP_NONE: it depends on the user, or there is none.
 * LOOKUP_ERROR: as recipient_find(). */
MUST_USE enum lookup recipient_common_identity(struct arena *arena,
	const struct settings *settings, struct identity *identity_out,
	struct err *err);

/* The user who runs this program, by the environment's USER and HOME (each may
 * be NULL); no database is asked. */
MUST_USE int recipient_self(struct arena *arena,
	const struct settings *settings, const char *user, const char *home,
	struct recipient *recipient_out, struct err *err);

#endif
