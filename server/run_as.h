/* run_as - as whom the server's processes run, and the folders they need
 *
 * Started as root, the process that speaks with clients, those that look users
 * up or keep state, and the one that hands over mail each have a user of their own; started as anybody else, all
 * are that user.  Reads the system's users; may block on their back ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_RUN_AS_H
#define SERVER_RUN_AS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/privilege.h"
#include "conf/conf.h"

/* Users that nobody has made get a number of the range that systemd keeps for
 * users without a name. */
enum { RUN_AS_FREE_FIRST = 61184, RUN_AS_FREE_LAST = 65519 };

struct run_as {
	bool is_root; /* false: both are whoever started us */
	struct identity login, internal, mailer;
	const char *root; /* of the one that speaks with clients: an empty
	                   * folder; NULL: it keeps the one there is */
};

/* Identities live in the arena.  A missing user is an error when the setting
 * names it; a default that is missing is warned of in the log, and a free number
 * takes its place, the same one at each start.  Errors: 4.3.5, 4.3.0. */
MUST_USE int run_as_find(struct arena *arena, const struct settings *settings,
	struct run_as *run_as_out, struct err *err);

/* Makes base_dir, state_dir and state_dir/env, the last for the internal user
 * alone: when it belongs to another uid it is handed over with the files in it.
 * Errors: 4.3.5 with the folder, the uid, and what to do. */
MUST_USE int run_as_make_folders(const struct settings *settings,
	const struct run_as *run_as, struct err *err);

/* Started as root: makes the empty folder base_dir/empty, and names it in
 * run_as->root.  Errors: 4.3.5. */
MUST_USE int run_as_make_root(struct arena *arena,
	const struct settings *settings, struct run_as *run_as,
	struct err *err);

/* For its test: the first number from `from` on, within the range, that no user
 * and no group has and that is not `taken`.  LOOKUP_NONE: there is none. */
enum lookup run_as_free_number(struct arena *arena, unsigned from,
	unsigned taken, unsigned *number_out, struct err *err);

#endif
