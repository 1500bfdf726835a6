/* SPDX-License-Identifier: MIT */
#include "deliver/deliver.h"

#include <stdio.h>

#include "base/clock.h"
#include "deliver/detail.h"
#include "deliver/execute.h"
#include "deliver/plan.h"
#include "deliver/report.h"
#include "deliver/script.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

void
delivery_fail(struct delivery *delivery, const struct err *err)
{
	delivery->err = *err;
	delivery->outcome = DELIVER_FAILED;
	if (err->kind == ERR_OVER_QUOTA &&
		delivery->settings->quota_full_tempfail) {
		delivery->err.kind = ERR_TEMPORARY;
		snprintf(delivery->err.status, sizeof(delivery->err.status),
			"4.2.2");
	}
}

static int
open_store(struct job *job, struct delivery *delivery, struct err *err)
{
	struct store_settings settings;

	if (setup_store(job, delivery, &settings, err) < 0)
		return -1;
	return store_open(&settings, &delivery->work->store, err);
}

/* What is to be done for one recipient; does nothing that can be seen. */
static int
decide(struct job *job, struct delivery *delivery, struct err *err)
{
	if (setup_check_loop(job, delivery, err) < 0)
		return -1;
	if (open_store(job, delivery, err) < 0)
		return -1;
	/* A script in error asks for keep; -1 is trouble of our own. */
	if (script_evaluate(job, delivery, err) < 0)
		return -1;
	if (detail_choose_folder(job, delivery, err) < 0)
		return -1;
	setup_trace(job, delivery);
	plan_build(job, delivery);
	return 0;
}

void
deliver_job(struct job *job)
{
	size_t d;

	job->work = ARENA_NEW(job->arena, struct job_work);
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
	execute_plans(job);
	for (d = 0; d < job->count; d++)
		store_close(&job->deliveries[d].work->store);
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
