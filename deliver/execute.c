/* SPDX-License-Identifier: MIT */
#include "deliver/execute.h"

#include "base/clock.h"
#include "base/log.h"
#include "deliver/forwardlock.h"
#include "deliver/mailboxes.h"
#include "deliver/programs.h"
#include "deliver/quota.h"
#include "deliver/redirect.h"
#include "deliver/reject.h"
#include "deliver/remember.h"
#include "deliver/report.h"
#include "deliver/seen.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

static enum store_result
write_copy(struct delivery *delivery, struct plan_copy *copy, struct err *err)
{
	struct delivery_work *work = delivery->work;
	struct work_bytes *bytes = copy->bytes;
	bool may_link = delivery->settings->maildir_copy_with_hardlinks;
	unsigned flags = (copy->create ? STORE_CREATE_FOLDER : 0) |
	                 mailboxes_flags(work->mailboxes, copy->folder);
	enum store_result result;

	if (may_link && bytes->written != NULL)
		result = store_link(work->store, copy->folder, flags,
			bytes->written, copy->store_flags, &copy->copy, err);
	else
		result = store_write(work->store, copy->folder, flags,
			bytes->content, copy->store_flags, &copy->copy, err);
	if (result != STORE_OK)
		return result;
	if (may_link && bytes->written == NULL)
		bytes->written = copy->copy;
	return store_set_keywords(
		       copy->copy, copy->keywords, copy->keyword_count, err) < 0
	               ? STORE_FAILED
	               : STORE_OK;
}

static void
tell_missing(const struct plan_copy *copy, const struct err *err)
{
	if (copy->is_default || copy->action == NULL)
		log_error("save failed to open mailbox %.*s: %s",
			STR_ARG(copy->folder), err_log_text(err));
	else
		log_error("sieve: failed to store into mailbox '%.*s': %s",
			STR_ARG(copy->folder), err_log_text(err));
}

/* A folder that is not there is no reason to lose or delay mail: it goes where
 * it would have gone without a script (RFC 5228 2.10.6). */
static int
write_or_fall_back(struct delivery *delivery, size_t index, struct err *err)
{
	struct plan_copy *copy = &delivery->work->plan->copies[index];

	for (;;) {
		switch (write_copy(delivery, copy, err)) {
		case STORE_OK:
			return 0;
		case STORE_FAILED:
			return -1;
		case STORE_NO_FOLDER:
			break;
		}
		tell_missing(copy, err);
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
		if (write_or_fall_back(delivery, i, err) < 0)
			return reject_full(job, delivery, err) ? 0 : -1;
	return 0;
}

/* A folder that has less room than the INBOX is no reason to refuse mail.  True: the
 * copy is written elsewhere now, or another one holds what it would. */
static bool
move_to_room(struct delivery *delivery, size_t index, const struct err *why)
{
	struct plan_copy *copy = &delivery->work->plan->copies[index];
	struct err err;

	if ((why->kind != ERR_OVER_QUOTA && why->kind != ERR_TOO_BIG) ||
		store_is_same_folder(
			delivery->work->store, copy->folder, STR("INBOX")) ||
		quota_check_inbox(delivery, index, &err) < 0)
		return false;
	tell_missing(copy, why);
	execute_give_up(delivery, copy);
	switch (plan_fall_back(delivery, index)) {
	case PLAN_REPLACED:
		return write_or_fall_back(delivery, index, &err) == 0;
	case PLAN_COVERED:
		return true;
	case PLAN_HOPELESS:
		break;
	}
	return false;
}

/* Once, for exactly what will be stored. */
static int
take_room(struct job *job, struct delivery *delivery, struct err *err)
{
	size_t wrong;

	while (quota_take_room(job, delivery, &wrong, err) < 0)
		if (wrong >= delivery->work->plan->copy_count ||
			!move_to_room(delivery, wrong, err))
			return reject_full(job, delivery, err) ? 0 : -1;
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

/* A copy that came into the plan when the others were written. */
static int
file_late(struct job *job, struct delivery *delivery, size_t index,
	struct err *err)
{
	if (write_or_fall_back(delivery, index, err) < 0)
		return -1;
	if (delivery->work->plan->copies[index].copy == NULL)
		return 0;
	/* Nobody knew of it when room was taken. */
	quota_leave(delivery);
	if (take_room(job, delivery, err) < 0)
		return -1;
	return sync_copies(job, delivery, err);
}

/* A script in error is a keep (RFC 5228 2.10.6); with :try the failure is none, but
 * the implicit keep was not cancelled either.  Nothing of it is to be kept where
 * :copy says that it is somewhere else anyway. */
static int
keep_instead(struct job *job, struct delivery *delivery,
	const struct plan_pipe *pipe, struct err *err)
{
	size_t last = delivery->work->plan->copy_count;

	if (pipe->action->pipe.is_try && pipe->action->pipe.copy)
		return 0;
	if (!plan_keep(job, delivery, pipe))
		return 0;
	return file_late(job, delivery, last, err);
}

/* After the redirects: when one of these fails the whole is done again. */
static int
run_pipes(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; i < plan->pipe_count; i++) {
		struct plan_pipe *pipe = &plan->pipes[i];

		pipe->has_failed = !programs_pipe(
			job, delivery, pipe->action, pipe->content);
		if (programs_had_no_place(delivery, err))
			return -1;
		if (pipe->has_failed &&
			keep_instead(job, delivery, pipe, err) < 0)
			return -1;
	}
	return 0;
}

static int
commit_copies(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	(void)job;
	quota_begin_names(delivery);
	for (i = 0; i < plan->copy_count; i++)
		if (plan->copies[i].copy != NULL &&
			store_commit(plan->copies[i].copy, err) < 0)
			return -1;
	return 0;
}

void
execute_give_up(const struct delivery *delivery, struct plan_copy *copy)
{
	(void)delivery;
	if (copy->copy == NULL)
		return;
	/* What others have linked to it stays. */
	if (copy->bytes->written == copy->copy)
		copy->bytes->written = NULL;
	store_retract(copy->copy);
	store_copy_close(&copy->copy);
}

void
execute_abandon(struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	for (i = 0; i < plan->copy_count; i++)
		execute_give_up(delivery, &plan->copies[i]);
	quota_leave(delivery);
}

typedef int phase_step(
	struct job *job, struct delivery *delivery, struct err *err);

static void
for_each_open_of(struct job *job, phase_step *step)
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
			execute_abandon(delivery);
			delivery_fail(delivery, &err);
		}
	}
}

/* One phase for every delivery that is still on its way. */
static void
for_each_open(struct batch *batch, phase_step *step)
{
	size_t j;

	for (j = 0; j < batch->count; j++)
		for_each_open_of(batch->jobs[j], step);
}

static void
fail_all(struct job *job, const struct err *err, bool is_ordinary)
{
	size_t d;

	for (d = 0; d < job->count; d++) {
		struct delivery *delivery = &job->deliveries[d];

		if (!delivery_is_open(delivery))
			continue;
		report_begin(job, delivery);
		execute_abandon(delivery);
		delivery_fail(delivery, err);
		delivery->work->is_ordinary = is_ordinary;
	}
}

static int
check_still_wanted(const struct job *job, struct err *err)
{
	if (job->is_abandoned != NULL && job->is_abandoned(job))
		return err_temp(err, "4.3.2",
			job->client != NULL
				? "the client has gone before the message was "
				  "filed"
				: "told to stop before the message was filed");
	if (job->deadline_ms > 0 && clock_monotonic_ms() >= job->deadline_ms)
		return err_temp(err, "4.3.0",
			"the client's time was over before the message was "
			"filed");
	return 0;
}

static void
stop_unless_wanted(struct batch *batch)
{
	struct err err;
	size_t j;

	for (j = 0; j < batch->count; j++)
		if (check_still_wanted(batch->jobs[j], &err) < 0)
			fail_all(batch->jobs[j], &err, true);
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

/* All folders of the job at once.  When it fails no name is known to be on disk,
 * so nobody is told that it is. */
static void
settle_copies_of(struct job *job)
{
	size_t count = collect_copies(job, NULL);
	struct store_copy **copies =
		ARENA_ARRAY(job->arena, struct store_copy *, count);
	struct err err;

	collect_copies(job, copies);
	if (count > 0 && store_settle(copies, count, &err) < 0)
		fail_all(job, &err, false);
}

/* Of all jobs. */
static size_t
collect_all(const struct batch *batch, struct store_copy ***copies_out)
{
	size_t count = 0, j;
	struct store_copy **copies;

	for (j = 0; j < batch->count; j++)
		count += collect_copies(batch->jobs[j], NULL);
	copies = ARENA_ARRAY(batch->arena, struct store_copy *, count);
	*copies_out = copies;
	for (j = 0; j < batch->count; j++)
		copies += collect_copies(batch->jobs[j], copies);
	return count;
}

/* Many at the same time; what became of each is told by the phase of its own. */
static void
flush_together(const struct batch *batch,
	void (*flush)(struct store_copy *const *copies, size_t count,
		struct flush_crew *crew))
{
	struct flush_crew *crew = batch->jobs[0]->flush_crew;
	struct store_copy **copies;
	size_t count;

	if (crew == NULL)
		return;
	count = collect_all(batch, &copies);
	if (count > 1)
		flush(copies, count, crew);
}

static void
sync_all(struct batch *batch)
{
	flush_together(batch, store_flush_files);
	for_each_open(batch, sync_copies);
}

static void
settle_copies(struct batch *batch)
{
	size_t j;

	flush_together(batch, store_flush_folders);
	for (j = 0; j < batch->count; j++)
		settle_copies_of(batch->jobs[j]);
}

/* NULL: copies in this kind of mailbox have no names. */
static const char *
name_of(const struct job *job, const struct plan_copy *copy)
{
	const char *path =
		copy->copy != NULL ? store_copy_target(copy->copy) : copy->kept;
	struct str name = str_from(path);
	size_t slash = str_find_last_char(name, '/');

	if (path == NULL)
		return NULL;
	return arena_text(job->arena,
		slash < name.len ? str_skip(name, slash + 1) : name);
}

static int
finish(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct plan *plan = delivery->work->plan;
	size_t i;

	(void)err;
	quota_count_copies(job, delivery);
	delivery->outcome = DELIVER_DISCARDED;
	for (i = 0; i < plan->copy_count; i++) {
		struct plan_copy *copy = &plan->copies[i];

		if (copy->copy == NULL && copy->kept == NULL)
			continue;
		delivery->outcome = DELIVER_SAVED;
		report_saved(job, delivery, copy);
		copy->is_filed = true;
		copy->file = name_of(job, copy);
		store_copy_close(&copy->copy);
	}
	if (plan->refusal != NULL &&
		!reject_is_by_mail(job, delivery, plan->refusal))
		reject_tell(delivery, plan->refusal);
	return 0;
}

static void
keep_seen(struct batch *batch)
{
	size_t j, d;

	for (j = 0; j < batch->count; j++) {
		struct job *job = batch->jobs[j];

		for (d = 0; d < job->count; d++)
			redirect_remember(job, &job->deliveries[d]);
		seen_keep(job);
		for (d = 0; d < job->count; d++)
			forwardlock_give(&job->deliveries[d]);
	}
}

/* A lock that somebody holds already may be one that nobody gives up any more. */
static enum execute_wait
wait_for_keywords(const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;
	enum execute_wait wait = EXECUTE_DISK;
	size_t i;

	for (i = 0; i < plan->copy_count; i++) {
		const struct plan_copy *copy = &plan->copies[i];

		if (copy->keyword_count == 0)
			continue;
		switch (store_keywords_state(delivery->work->store,
			copy->folder, copy->keywords, copy->keyword_count)) {
		case STORE_KEYWORDS_READY:
			break;
		case STORE_KEYWORDS_NEW:
			wait = EXECUTE_BRIEF;
			break;
		case STORE_KEYWORDS_LOCKED:
			return EXECUTE_LONG;
		}
	}
	return wait;
}

static enum execute_wait
wait_of(const struct job *job, const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;

	if (plan->refusal != NULL &&
		reject_is_by_mail(job, delivery, plan->refusal))
		return EXECUTE_LONG;
	if (plan->pipe_count > 0 || store_may_wait(delivery->work->store))
		return EXECUTE_LONG;
	if (plan->redirect_count > 0)
		return EXECUTE_RELAY;
	return wait_for_keywords(delivery);
}

enum execute_wait
execute_wait_of(const struct job *job)
{
	enum execute_wait longest = EXECUTE_DISK, one;
	size_t d;

	if (job->count > EXECUTE_FEW)
		return EXECUTE_LONG;
	for (d = 0; d < job->count; d++) {
		if (!delivery_is_open(&job->deliveries[d]))
			continue;
		one = wait_of(job, &job->deliveries[d]);
		if (one > longest)
			longest = one;
	}
	return longest;
}

static bool
waits_for_mail(const struct job *job, const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;

	return plan->redirect_count > 0 ||
	       (plan->refusal != NULL &&
		       reject_is_by_mail(job, delivery, plan->refusal));
}

/* Before anything is handed over: what is not to be waited for has not begun. */
static int
begin_mail(struct job *job, struct delivery *delivery, struct err *err)
{
	if (job->waits != NULL && waits_for_mail(job, delivery) &&
		job->waits->begin(job, JOB_WAIT_MAIL, err) < 0)
		return -1;
	return redirect_begin(job, delivery, err);
}

static void
end_mail(struct batch *batch)
{
	size_t j;

	for (j = 0; j < batch->count; j++)
		if (batch->jobs[j]->waits != NULL)
			batch->jobs[j]->waits->end(
				batch->jobs[j], JOB_WAIT_MAIL);
}

static int
finish_redirects(struct job *job, struct delivery *delivery, struct err *err)
{
	size_t last = delivery->work->plan->copy_count;
	bool is_kept = false;

	if (redirect_finish(job, delivery, &is_kept, err) < 0)
		return -1;
	return is_kept ? file_late(job, delivery, last, err) : 0;
}

/* The phase has ended, and the next one begins. */
static void
end_phase(struct batch *batch, enum job_phase phase, uint64_t *since_us)
{
	uint64_t now_us = clock_monotonic_us();
	size_t j;

	for (j = 0; j < batch->count; j++)
		batch->jobs[j]->phases_us[phase] += now_us - *since_us;
	*since_us = now_us;
}

void
execute_plans(struct batch *batch)
{
	uint64_t since_us = clock_monotonic_us();

	for_each_open(batch, write_copies);
	end_phase(batch, JOB_PHASE_STORE, &since_us);
	for_each_open(batch, take_room);
	end_phase(batch, JOB_PHASE_QUOTA, &since_us);
	remember_begin(batch);
	sync_all(batch);
	stop_unless_wanted(batch);
	remember_ask(batch);
	end_phase(batch, JOB_PHASE_STORE, &since_us);
	for_each_open(batch, begin_mail);
	for_each_open(batch, finish_redirects);
	for_each_open(batch, reject_hand_over);
	end_mail(batch);
	for_each_open(batch, run_pipes);
	end_phase(batch, JOB_PHASE_OUTBOUND, &since_us);
	for_each_open(batch, commit_copies);
	settle_copies(batch);
	for_each_open(batch, finish);
	keep_seen(batch);
	remember_finish(batch);
	end_phase(batch, JOB_PHASE_STORE, &since_us);
}
