/* driver - what a user database has to bring
 *
 * One const struct per driver file, listed in userdb.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USERDB_DRIVER_H
#define USERDB_DRIVER_H

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "userdb/record.h"
#include "userdb/userdb.h"

struct userdb_driver;

/* A driver's state begins with this. */
struct userdb_source {
	const struct userdb_driver *driver;
	const struct userdb_settings *settings;
	const char *place;  /* "doorstep.conf:12", for messages */
	bool is_long_lived; /* worth keeping something between lookups */
};

struct userdb_driver {
	const char *name;
	size_t size; /* of the driver's state */

	/* `source` is zeroed but for the public part.  -1: 4.3.5. */
	int (*open)(struct userdb_source *source, struct arena *arena,
		struct err *err);

	/* Fills the record with what is known about record->asked. */
	enum lookup (*find)(struct userdb_source *source, struct record *record,
		struct err *err);

	/* A folder, with all that is below, that find() reads files of;
	 * lives in the arena.  NULL: none. */
	const char *(*folder)(
		const struct userdb_source *source, struct arena *arena);

	/* Adds all names.  NONE: they cannot be told; so does NULL. */
	enum lookup (*list)(struct userdb_source *source, struct arena *arena,
		struct userdb_names *names, struct err *err);

	/* Gives back what is not in the arena; NULL: nothing. */
	void (*close)(struct userdb_source *source);
};

void userdb_names_add(struct arena *arena, struct userdb_names *names,
	const struct userdb_name *name);

extern const struct userdb_driver userdb_passwd;
extern const struct userdb_driver userdb_passwd_file;
extern const struct userdb_driver userdb_static;

#endif
