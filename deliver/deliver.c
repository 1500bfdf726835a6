/* SPDX-License-Identifier: MIT */
#include "deliver/deliver.h"

#include <stdio.h>

#include "base/clock.h"
#include "deliver/detail.h"
#include "deliver/execute.h"
#include "deliver/explain.h"
#include "deliver/mailboxes.h"
#include "deliver/notices.h"
#include "deliver/plan.h"
#include "deliver/programs.h"
#include "deliver/quota.h"
#include "deliver/report.h"
#include "deliver/script.h"
#include "deliver/seen.h"
#include "deliver/setup.h"
#include "deliver/warnings.h"
#include "deliver/work.h"

#include "base/banned.h"

static void
obey_tempfail(const struct settings *settings, struct err *err)
{
	if (err->kind != ERR_OVER_QUOTA || !settings->quota_full_tempfail)
		return;
	err->kind = ERR_TEMPORARY;
	snprintf(err->status, sizeof(err->status), "4.2.2");
}

void
delivery_fail(struct delivery *delivery, const struct err *err)
{
	delivery->err = *err;
	delivery->outcome = DELIVER_FAILED;
	obey_tempfail(delivery->settings, &delivery->err);
}

static int
open_store(struct job *job, struct delivery *delivery, struct err *err)
{
	struct store_settings settings;

	if (setup_store(job, delivery, &settings, err) < 0)
		return -1;
	if (store_open(&settings, &delivery->work->store, err) < 0)
		return -1;
	return mailboxes_open(job, delivery, delivery->work->store,
		&delivery->work->mailboxes, err);
}

static int
check_size(const struct delivery *delivery, uint64_t size, struct err *err)
{
	uint64_t most = delivery->settings->message_max_size;

	if (most == 0 || size <= most)
		return 0;
	return err_set(err, ERR_TOO_BIG, "5.2.3",
		"Message size exceeds fixed limit (%llu bytes)",
		(unsigned long long)most);
}

/* What is to be done for one recipient; does nothing that can be seen. */
static int
decide(struct job *job, struct delivery *delivery, struct err *err)
{
	if (check_size(delivery, message_end(job->message), err) < 0)
		return -1;
	if (setup_check_loop(job, delivery, err) < 0)
		return -1;
	if (open_store(job, delivery, err) < 0)
		return -1;
	/* A script in error asks for keep; -1 is trouble of our own. */
	if (script_evaluate(job, delivery, err) < 0 ||
		programs_had_no_place(delivery, err))
		return -1;
	if (detail_choose_folder(job, delivery, err) < 0)
		return -1;
	plan_build(job, delivery);
	return 0;
}

static void
decide_all(struct job *job, bool is_alone)
{
	uint64_t since_us = clock_monotonic_us();
	size_t d;

	job->work = ARENA_NEW(job->arena, struct job_work);
	job->work->holds_programs = !is_alone;
	if (job->client != NULL)
		job->work->received_at = clock_local(clock_now().tv_sec);
	for (d = 0; d < job->count; d++) {
		struct delivery *delivery = &job->deliveries[d];
		struct err err;

		delivery->work = ARENA_NEW(job->arena, struct delivery_work);
		if (!delivery_is_open(delivery))
			continue;
		report_begin(job, delivery);
		if (decide(job, delivery, &err) < 0)
			delivery_fail(delivery, &err);
	}
	job->phases_us[JOB_PHASE_SIEVE] += clock_monotonic_us() - since_us;
}

static void
leave_quota(const struct job *job, struct delivery *delivery)
{
	quota_compare_use(job, delivery);
	quota_leave(delivery);
}

static void
execute(struct job *const *jobs, size_t count)
{
	struct batch batch = {
		.jobs = jobs, .count = count, .arena = jobs[0]->arena};
	size_t j, d;

	execute_plans(&batch);
	for (j = 0; j < count; j++)
		explain_keep(jobs[j]);
	for (j = 0; j < count; j++)
		if (jobs[j]->settled != NULL)
			jobs[j]->settled(jobs[j]);
	/* All have counted: now one may wait until others have, too. */
	for (j = 0; j < count; j++)
		for (d = 0; d < jobs[j]->count; d++)
			leave_quota(jobs[j], &jobs[j]->deliveries[d]);
}

static void
close_stores(struct job *const *jobs, size_t count)
{
	size_t j, d;

	for (j = 0; j < count; j++)
		for (d = 0; d < jobs[j]->count; d++)
			store_close(&jobs[j]->deliveries[d].work->store);
}

/* Those that wait like this, in the order in which they came. */
static size_t
select_jobs(struct job *const *jobs, size_t count, enum execute_wait wait,
	struct job **selected)
{
	size_t found = 0, j;

	for (j = 0; j < count; j++)
		if (jobs[j]->work->wait == wait)
			selected[found++] = jobs[j];
	return found;
}

/* What comes in together may be the same thing twice, and the second one has to
 * see what the first one has marked (RFC 7352).  And nobody waits for what scripts
 * of another job run. */
static void
hold_back(struct job *const *jobs, size_t count)
{
	size_t j, i;

	for (j = 0; j < count; j++) {
		if (jobs[j]->work->wants_programs)
			jobs[j]->work->wait = EXECUTE_AFTER;
		for (i = 0; i < j; i++)
			if (seen_waits_for(jobs[j], jobs[i]))
				jobs[j]->work->wait = EXECUTE_AFTER;
	}
}

/* As if it had come now. */
static void
decide_again(struct job *job)
{
	size_t d;

	for (d = 0; d < job->count; d++) {
		quota_leave(&job->deliveries[d]);
		store_close(&job->deliveries[d].work->store);
	}
	decide_all(job, true);
	job->work->wait = EXECUTE_AFTER;
}

void
deliver_jobs(struct job *const *jobs, size_t count)
{
	struct job **some = ARENA_ARRAY(jobs[0]->arena, struct job *, count);
	size_t found, j;

	for (j = 0; j < count; j++) {
		decide_all(jobs[j], count == 1);
		jobs[j]->work->wait = execute_wait_of(jobs[j]);
	}
	hold_back(jobs, count);
	found = select_jobs(jobs, count, EXECUTE_DISK, some);
	if (found > 0)
		execute(some, found);
	found = select_jobs(jobs, count, EXECUTE_BRIEF, some);
	if (found > 0)
		execute(some, found);
	found = select_jobs(jobs, count, EXECUTE_RELAY, some);
	if (found > 0)
		execute(some, found);
	found = select_jobs(jobs, count, EXECUTE_LONG, some);
	for (j = 0; j < found; j++)
		execute(&some[j], 1);
	found = select_jobs(jobs, count, EXECUTE_AFTER, some);
	for (j = 0; j < found; j++) {
		decide_again(some[j]);
		execute(&some[j], 1);
	}
	notices_hand_over(jobs, count);
	warnings_tell(jobs, count);
	close_stores(jobs, count);
}

void
deliver_job(struct job *job)
{
	deliver_jobs(&job, 1);
}

static int
check_folder(struct job *job, struct delivery *delivery, uint64_t size,
	struct err *err)
{
	const char *inbox;

	if (store_inbox_path(delivery->work->store, &inbox, err) < 0)
		return -1;
	if (!quota_is_limited(delivery->settings))
		return 0;
	if (detail_choose_folder(job, delivery, err) < 0)
		return -1;
	return quota_check_room(job, delivery, size, err);
}

static int
check_before_data(struct job *job, struct delivery *delivery, uint64_t size,
	struct err *err)
{
	int result;

	if (check_size(delivery, size, err) < 0)
		return -1;
	if (open_store(job, delivery, err) < 0)
		return -1;
	result = check_folder(job, delivery, size, err);
	quota_leave(delivery);
	store_close(&delivery->work->store);
	if (result < 0 && !delivery->is_mere_question)
		obey_tempfail(delivery->settings, err);
	return result;
}

int
deliver_check(struct job *job, struct delivery *delivery, uint64_t size,
	struct err *err)
{
	int result;

	delivery->work = ARENA_NEW(job->arena, struct delivery_work);
	result = check_before_data(job, delivery, size, err);
	if (result < 0 && !delivery->is_mere_question)
		explain_refusal(job, delivery, size, err);
	return result;
}

int
deliver_withdraw(struct job *job, struct delivery *delivery, struct err *err)
{
	int result;

	delivery->work = ARENA_NEW(job->arena, struct delivery_work);
	if (open_store(job, delivery, err) < 0)
		return -1;
	result = quota_withdraw_promise(job, delivery, err);
	quota_leave(delivery);
	store_close(&delivery->work->store);
	return result;
}

void
deliver_report(struct job *job)
{
	size_t d;

	for (d = 0; d < job->count; d++) {
		report_begin(job, &job->deliveries[d]);
		report_outcome(job, &job->deliveries[d]);
	}
}
