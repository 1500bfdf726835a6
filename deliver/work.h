/* work - what the steps of a delivery hand to each other
 *
 * Private to deliver/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_WORK_H
#define DELIVER_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "mail/content.h"
#include "sieve/sieve.h"
#include "store/store.h"
#include "quota/quota.h"
#include "deliver/deliver.h"
#include "deliver/execute.h"
#include "deliver/notices.h"
#include "deliver/plan.h"

/* What copies hold: the message with trace headers.  Deliveries of a job whose
 * copies are the same share it, so that one file is written for all. */
struct work_bytes {
	struct work_bytes *next;
	const struct content *content;
	const struct content *edited; /* by a script; NULL: not at all */
	struct str delivered_to;      /* what makes them differ */
	struct str received_by;
	struct str received_for;
	struct store_copy *written; /* one to link to; NULL: none yet */
};

/* What belongs to the whole job. */
struct job_work {
	struct work_bytes *bytes; /* the newest first */
	struct tm received_at;
	bool seen_is_down; /* the memory of marks; it has been told */
	enum execute_wait wait;
	/* It is decided with others, who are not to wait for programs of its
	 * scripts; these want some. */
	bool holds_programs, wants_programs;
};

/* Jobs whose phases are done together. */
struct batch {
	struct job *const *jobs;
	size_t count;
	struct arena *arena;      /* one of theirs */
	struct job_claim *claims; /* what the memory is asked */
	size_t claim_count;
};

struct delivery_work {
	const char *log_prefix;
	struct store *store;
	struct mailboxes *mailboxes;
	struct quota *quota; /* NULL: none, or not asked yet */
	struct script_outcome {
		struct sieve_result result;
		bool has_script; /* at least one ran */
		bool has_failed; /* one was in error: keep */
		struct script_run {
			const char *path;
			const char *error; /* why it failed; NULL: it did not */
		} * runs;                  /* in order */
		size_t run_count, run_size;
	} script;
	struct str folder;      /* of keep: -m, the detail's, or INBOX */
	bool creates_folder;    /* it is to be made if it is missing */
	struct extlists *lists; /* NULL: nobody has asked for one */
	bool seen_is_down;      /* the user's own file; it has been told */
	bool has_forward_lock;  /* forwardlock.h */
	int forward_lock;
	struct plan *plan;
	struct work_notices {
		struct notice *items;
		size_t count, size;
	} notices; /* what will leave afterwards */
	struct work_warnings {
		struct quota_crossing *items;
		size_t count, size;
	} warnings; /* what is told afterwards */
	/* Temporary: a program was to be waited for, and too many wait already.
	 * NULL: none was. */
	const struct err *no_place;
	bool is_repeated; /* the outcome is that of an earlier delivery */
	bool is_ordinary; /* it failed as the client's ways make it */
};

/* Ends a delivery with this error; quota_full_tempfail makes a full mailbox a
 * temporary one. */
void delivery_fail(struct delivery *delivery, const struct err *err);

static inline bool
delivery_is_open(const struct delivery *delivery)
{
	return delivery->outcome == DELIVER_PENDING;
}

#endif
