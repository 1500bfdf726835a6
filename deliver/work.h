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

#include "mail/content.h"
#include "sieve/sieve.h"
#include "store/store.h"
#include "deliver/deliver.h"
#include "deliver/plan.h"

struct delivery_work {
	struct store *store;
	const struct content *content; /* the message with its trace headers */
	struct script_outcome {
		struct sieve_result result;
		bool has_script; /* at least one ran */
		bool has_failed; /* one was in error: keep */
	} script;
	struct str folder;   /* of keep: -m, the detail's, or INBOX */
	bool creates_folder; /* it is to be made if it is missing */
	struct plan *plan;
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
