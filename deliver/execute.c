/* SPDX-License-Identifier: MIT */
#include "deliver/execute.h"

#include "base/log.h"
#include "deliver/redirect.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

/* A copy of this job that holds the very same bytes. */
static struct store_copy *
find_twin(struct job *job, const struct content *content)
{
	size_t d, i;

	for (d = 0; d < job->count; d++) {
		const struct delivery *delivery = &job->deliveries[d];

		if (!delivery_is_open(delivery) ||
			!content_is_same(delivery->work->content, content))
			continue;
		for (i = 0; i < delivery->work->plan->copy_count; i++)
			if (delivery->work->plan->copies[i].copy != NULL)
				return delivery->work->plan->copies[i].copy;
	}
	return NULL;
}

static enum store_result
write_copy(struct job *job, struct delivery *delivery, struct plan_copy *copy,
	struct err *err)
{
	struct delivery_work *work = delivery->work;
	unsigned flags = (copy->create ? STORE_CREATE_FOLDER : 0) |
	                 setup_folder_flags(delivery, copy->folder);
	struct store_copy *twin = NULL;

	if (delivery->settings->maildir_copy_with_hardlinks)
		twin = find_twin(job, work->content);

	if (twin != NULL)
		return store_link(work->store, copy->folder, flags, twin,
			copy->store_flags, &copy->copy, err);
	return store_write(work->store, copy->folder, flags, work->content,
		copy->store_flags, &copy->copy, err);
}

/* A folder that is not there is no reason to lose or delay mail: it goes where
 * it would have gone without a script (RFC 5228 2.10.6). */
static int
write_or_fall_back(struct job *job, struct delivery *delivery, size_t index,
	struct err *err)
{
	struct plan_copy *copy = &delivery->work->plan->copies[index];

	for (;;) {
		switch (write_copy(job, delivery, copy, err)) {
		case STORE_OK:
			return 0;
		case STORE_FAILED:
			return -1;
		case STORE_NO_FOLDER:
			break;
		}
		log_error("save failed to open mailbox %.*s: %s",
			STR_ARG(copy->folder), err_log_text(err));
		switch (plan_fall_back(delivery, index)) {
		case PLAN_REPLACED:
			break;
		case PLAN_COVERED:
			return 0;
		case PLAN_HOPELESS:
			return err_temp(
				err, "4.3.0", "the inbox cannot be opened");
		}
	}
}

static int
write_copies(struct job *job, struct delivery *delivery, struct err *err)
{
	size_t i;

	for (i = 0; i < delivery->work->plan->copy_count; i++)
		if (write_or_fall_back(job, delivery, i, err) < 0)
			return -1;
	return 0;
}

static int
sync_copies(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	(void)job;
	for (i = 0; i < plan->copy_count; i++)
		if (plan->copies[i].copy != NULL &&
			store_sync(plan->copies[i].copy, err) < 0)
			return -1;
	return 0;
}

static int
commit_copies(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	(void)job;
	for (i = 0; i < plan->copy_count; i++)
		if (plan->copies[i].copy != NULL &&
			store_commit(plan->copies[i].copy, err) < 0)
			return -1;
	return 0;
}

static int
check_abandoned(struct job *job, struct delivery *delivery, struct err *err)
{
	(void)delivery;
	if (job->is_abandoned != NULL && job->is_abandoned(job))
		return err_temp(err, "4.3.2",
			"told to stop before the message was filed");
	return 0;
}

/* Takes everything back that was done for a delivery. */
static void
abandon_copies(struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; i < plan->copy_count; i++) {
		struct plan_copy *copy = &plan->copies[i];

		if (copy->copy == NULL)
			continue;
		store_retract(copy->copy);
		store_copy_close(&copy->copy);
	}
}

/* One phase for every delivery that is still on its way. */
static void
for_each_open(
	struct job *job, int (*step)(struct job *job, struct delivery *delivery,
				 struct err *err))
{
	size_t d;

	for (d = 0; d < job->count; d++) {
		struct delivery *delivery = &job->deliveries[d];
		struct err err;

		if (!delivery_is_open(delivery))
			continue;
		report_begin(job, delivery);
		err_clear(&err);
		if (step(job, delivery, &err) < 0) {
			abandon_copies(delivery);
			delivery_fail(delivery, &err);
		}
	}
}

static size_t
collect_copies(struct job *job, struct store_copy **copies)
{
	size_t count = 0, d, i;

	for (d = 0; d < job->count; d++) {
		const struct delivery *delivery = &job->deliveries[d];

		if (!delivery_is_open(delivery))
			continue;
		for (i = 0; i < delivery->work->plan->copy_count; i++) {
			struct store_copy *copy =
				delivery->work->plan->copies[i].copy;

			if (copies != NULL && copy != NULL)
				copies[count] = copy;
			count += copy != NULL;
		}
	}
	return count;
}

static int
settle_fails(struct job *job, struct delivery *delivery, struct err *err)
{
	(void)job;
	*err = delivery->err;
	return -1;
}

/* All folders of the job at once.  When it fails no name is known to be on disk,
 * so nobody is told that it is. */
static void
settle_copies(struct job *job)
{
	size_t count = collect_copies(job, NULL), d;
	struct store_copy **copies =
		ARENA_ARRAY(job->arena, struct store_copy *, count);
	struct err err;

	collect_copies(job, copies);
	if (count == 0 || store_settle(copies, count, &err) == 0)
		return;
	for (d = 0; d < job->count; d++)
		if (delivery_is_open(&job->deliveries[d]))
			job->deliveries[d].err = err;
	for_each_open(job, settle_fails);
}

static int
finish(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	(void)err;
	delivery->outcome = DELIVER_DISCARDED;
	for (i = 0; i < plan->copy_count; i++) {
		struct plan_copy *copy = &plan->copies[i];

		if (copy->copy == NULL)
			continue;
		delivery->outcome = DELIVER_SAVED;
		report_saved(job, delivery, copy);
		store_copy_close(&copy->copy);
	}
	return 0;
}

void
execute_plans(struct job *job)
{
	for_each_open(job, write_copies);
	for_each_open(job, sync_copies);
	for_each_open(job, check_abandoned);
	for_each_open(job, redirect_hand_over);
	for_each_open(job, commit_copies);
	settle_copies(job);
	for_each_open(job, finish);
}
