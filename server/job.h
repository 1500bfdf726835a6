/* job - from what master and the front send to a job of the core, and back
 *
 *   ASSIGN          assignment_add_users()       from master
 *   JOB_RECIPIENTS  assignment_add_recipients()  from the front
 *   JOB             assignment_begin()           then deliver_job(&it->job)
 *                   assignment_result()          -> RESULT
 *
 * The front speaks with the world, so nothing of what it sends is believed: what
 * breaks the rules is an error, a ticket that master did not give with this job
 * fails its recipient, a message that cannot be read fails all of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_JOB_H
#define SERVER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "mail/message.h"
#include "conf/conf.h"
#include "deliver/deliver.h"
#include "server/wire.h"

enum {
	/* Recipients of one job; a front with more has gone mad. */
	ASSIGNMENT_RECIPIENTS_MAX = 100000,
	/* Bytes of a message that are held in memory. */
	ASSIGNMENT_MEMORY_BYTES = 128 * 1024
};

/* What the memory of deliveries knows one recipient by. */
struct assignment_claim {
	unsigned char key[32];
	unsigned char secret[16];
	bool is_held;    /* to be finished */
	bool is_broken;  /* what a predecessor left is not yet looked after */
	bool has_handle; /* to be confirmed */
};

struct assignment {
	struct arena *arena; /* everything of this job */
	const struct settings *settings;
	uint64_t number; /* the front's */
	bool is_assigned;

	struct wire_assign_item *users;
	size_t user_count, user_size;
	struct wire_job_recipient *recipients;
	size_t recipient_count, recipient_size;

	struct job_client client;
	struct message *message;
	struct assignment_claim *claims; /* one for each delivery */
	struct job job;
};

/* `settings` are those of a worker; the arena is the caller's. */
void assignment_init(struct assignment *assignment, struct arena *arena,
	const struct settings *settings);
/* Closes the message.  The arena is not touched. */
void assignment_clear(struct assignment *assignment);

/* Each is -1 when the rules are broken. */
MUST_USE int assignment_add_users(struct assignment *assignment,
	const struct wire_assign *assign, struct err *err);
MUST_USE int assignment_add_recipients(struct assignment *assignment,
	const struct wire_job_recipients *recipients, struct err *err);

/* Whether master has said all that this job needs; what it still says may be on
 * its way. */
bool assignment_is_complete(const struct assignment *assignment, uint64_t job);

/* Fills assignment->job, but for is_abandoned, memory and script_cache.  Takes
 * the file over.  What is wrong with a recipient or the message is in its
 * delivery's outcome already. */
MUST_USE int assignment_begin(
	struct assignment *assignment, struct wire_job *job, struct err *err);

/* The delivery of a packed user, without its addresses.  Errors: 4.3.5 for a wrong
 * setting of the user's own. */
MUST_USE int assignment_user(struct arena *arena,
	const struct settings *settings, struct str packed,
	struct delivery *delivery, struct err *err);

/* What the memory of deliveries knows them by: the digest of uid, message, sender,
 * and of each recipient its address as given, ORCPT and detail. */
MUST_USE int assignment_make_keys(
	struct assignment *assignment, uid_t uid, struct err *err);

/* The results from `first` on, as many as fit into a frame; they live in the
 * arena.  Again with first + count until is_last. */
void assignment_result(struct assignment *assignment, uid_t uid, size_t first,
	struct wire_result *result);

#endif
