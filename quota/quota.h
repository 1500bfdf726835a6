/* quota - may this be stored, and how much is there
 *
 * A user has some roots; each has a backend that knows the use, and rules that
 * say how much there may be.  A delivery goes like this:
 *
 *   quota_take()    would all of this fit?  Then room for it is reserved, which
 *                   others who deliver to the user see at once
 *   quota_begin()   just before the copies get their names
 *   quota_end()     they have their names: the use grows by them, the
 *                   reservation is over
 *   quota_close()   or it came to nothing: the reservation is over
 *
 * A reservation (quota/reserve.h) is a line of a file of the user's.  Who dies
 * with one leaves his line, and whoever comes next counts anew.
 *
 * Warnings: the file of the reservations has the use of each root as it was when
 * warnings were last looked for.  Who ends a delivery compares it with what is
 * there now, alone and for all that has happened since: so each crossing of a
 * threshold is met by one delivery, however many there are at a time.
 *
 * Runs as the user; blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QUOTA_QUOTA_H
#define QUOTA_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"
#include "store/store.h"
#include "quota/limits.h"

enum { QUOTA_ROOTS_MAX = 8, QUOTA_PROMISE_S = 120 };

struct quota_root_settings {
	unsigned number;  /* quota2: 2 */
	const char *spec; /* "maildir:User quota:noenforcing", variables
	                   * expanded */
	struct quota_rules rules;
	const struct conf_quota_warning *warnings; /* the first that fits */
	size_t warning_count;
};

/* Everything is borrowed and outlives the quota. */
struct quota_settings {
	struct arena *arena;
	struct store *store;
	const struct quota_root_settings *roots;
	size_t root_count;     /* more than QUOTA_ROOTS_MAX are an err */
	const char *full_text; /* quota_exceeded_message */
	uint64_t deadline_ms;  /* no lock is waited for beyond it; 0 = none */
	bool is_counted_only;  /* all roots: the limits do not count */
	/* "dict": whose count, and where state listens; NULL: no such root. */
	const char *user, *state_socket;
	/* A delivery goes on where a count of state's cannot be had. */
	bool ignores_dict_failure;
	/* Of this delivery at RCPT and later; "": none. */
	const char *key;
};

struct quota;

/* Touches nothing.  Errors: 4.3.5 for a root that cannot be. */
MUST_USE int quota_open(const struct quota_settings *settings,
	struct quota **quota_out, struct err *err);
/* Gives back what was taken and not ended. */
void quota_close(struct quota **quota);

/* Something to be stored. */
struct quota_item {
	struct str folder;
	uint64_t bytes;
};

/* For all items together, once.
 * Errors: ERR_OVER_QUOTA 5.2.2, for good where an empty mailbox would not do
 * either (ERR_TOO_BIG 5.2.3); 4.3.0 where it cannot be told.  *wrong_out is the
 * item that has no room, or the count of items. */
MUST_USE int quota_take(struct quota *quota, const struct quota_item *items,
	size_t count, size_t *wrong_out, struct err *err);

/* Nothing when nothing was taken. */
void quota_begin(struct quota *quota);

/* What was really stored of it. */
void quota_end(
	struct quota *quota, const struct quota_item *items, size_t count);

/* After quota_end(): which thresholds did the use pass?  Where the use has to be
 * counted anew this waits for all who are between quota_begin() and quota_end(), so
 * the caller must not be among them with another delivery.  Trouble is logged. */
void quota_compare(struct quota *quota);

/* A threshold that was passed; found by quota_compare(). */
struct quota_crossing {
	struct str name; /* of the root */
	const struct conf_quota_warning *warning;
	struct quota_amount use;
	struct quota_limits limits;
};

/* At most QUOTA_ROOTS_MAX of them: of each root the first warning that fits. */
size_t quota_crossings(
	const struct quota *quota, const struct quota_crossing **crossings_out);

/* Would a message of `bytes` (0: not known) for that folder fit?  Errors as
 * quota_take(). */
MUST_USE int quota_check(struct quota *quota, struct str folder, uint64_t bytes,
	struct err *err);

/* The same at RCPT: beside what others have promised, too, and then it is promised
 * under the key, for QUOTA_PROMISE_S seconds or until quota_take().  A promise keeps
 * nobody from delivering, only others from being promised the same room. */
MUST_USE int quota_promise(struct quota *quota, struct str folder,
	uint64_t bytes, bool *has_promised_out, struct err *err);

/* What was promised under the key is free again: no message comes. */
MUST_USE int quota_withdraw(struct quota *quota, struct err *err);

/* ---- for people ---- */

struct quota_report {
	struct str name;
	const char *backend;
	bool is_hidden, is_enforced;
	struct quota_amount use;
	struct quota_amount reserved; /* by deliveries under way */
	struct quota_limits limits;   /* of the default rule, or of `folder` */
	uint64_t grace;
};

/* One for each root, in the quota's arena.  `folder` may be empty. */
MUST_USE int quota_report(struct quota *quota, struct str folder,
	struct quota_report **reports_out, size_t *count_out, struct err *err);

/* Counts everything anew. */
MUST_USE int quota_recalculate(struct quota *quota, struct err *err);

#endif
