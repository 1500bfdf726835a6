/* quota - the settings' quota roots and what a delivery wants of them
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_QUOTA_H
#define DELIVER_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "quota/quota.h"
#include "deliver/deliver.h"

/* For the user's store, which outlives it; *quota_out is NULL where the settings
 * name no root.  Errors: 4.3.5. */
MUST_USE int quota_open_user(const struct job *job,
	const struct delivery *delivery, struct store *store,
	struct quota **quota_out, struct err *err);

/* ---- a delivery with a plan ---- */

/* Room for all copies that are written, together.  Errors: as quota_take(), and
 * ERR_TOO_BIG for quota_max_mail_size; *wrong_out is the copy of the plan that has
 * no room, or the count of copies. */
MUST_USE int quota_take_room(const struct job *job, struct delivery *delivery,
	size_t *wrong_out, struct err *err);

/* Whether the INBOX would take what this copy holds. */
MUST_USE int quota_check_inbox(
	const struct delivery *delivery, size_t copy, struct err *err);

/* Before and after the copies get their names. */
void quota_begin_names(const struct delivery *delivery);
void quota_count_copies(const struct job *job, struct delivery *delivery);

/* Later, when all copies of all jobs have theirs: was a threshold passed? */
void quota_compare_use(const struct job *job, const struct delivery *delivery);

/* In any case, before the store goes. */
void quota_leave(struct delivery *delivery);

/* ---- before there is a message ---- */

/* False: quota_check_room() would say yes, whatever the size. */
bool quota_is_limited(const struct settings *settings);

/* For work->folder; a size of 0 is not known. */
MUST_USE int quota_check_room(const struct job *job, struct delivery *delivery,
	uint64_t size, struct err *err);

/* No message comes: what quota_check_room() has promised to the session is free
 * again. */
MUST_USE int quota_withdraw_promise(
	const struct job *job, struct delivery *delivery, struct err *err);

#endif
