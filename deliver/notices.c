/* SPDX-License-Identifier: MIT */
#include "deliver/notices.h"

#include "base/clock.h"
#include "base/log.h"
#include "outbound/outbound.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

void
notices_add(
	struct job *job, struct delivery *delivery, const struct notice *notice)
{
	struct work_notices *notices = &delivery->work->notices;

	if (notices->count == notices->size) {
		notices->size = notices->size > 0 ? notices->size * 2 : 4;
		notices->items = arena_grow(job->arena, notices->items,
			sizeof(*notices->items), notices->count, notices->size);
	}
	notices->items[notices->count++] = *notice;
}

static bool
may_tell(const struct delivery *delivery)
{
	return delivery->work != NULL && !delivery->work->is_repeated &&
	       (delivery->outcome == DELIVER_SAVED ||
		       delivery->outcome == DELIVER_DISCARDED);
}

/* False when the time is over. */
static bool
limit_time(struct outbound_settings *settings, uint64_t until_ms)
{
	uint64_t now = clock_monotonic_ms();

	if (now >= until_ms)
		return false;
	if (settings->timeout_ms > until_ms - now)
		settings->timeout_ms = until_ms - now;
	return true;
}

static int
submit(const struct delivery *delivery, const struct notice *notice,
	uint64_t until_ms, struct err *err)
{
	struct outbound_settings settings = setup_outbound(delivery->settings);

	if (!limit_time(&settings, until_ms))
		return err_temp(
			err, "4.4.2", "those before it have taken too long");
	return outbound_submit(&settings, notice->sender, notice->recipients,
		notice->count, notice->content, err);
}

static void
hand_over(struct job *job, const struct delivery *delivery,
	const struct notice *notice, uint64_t until_ms)
{
	struct err err;
	size_t i;

	if (submit(delivery, notice, until_ms, &err) < 0) {
		log_error("sieve: failed to send %s to <%.*s>: %s",
			notice->what, STR_ARG(notice->recipients[0]),
			err_log_text(&err));
		return;
	}
	for (i = 0; i < notice->count; i++)
		report_line(job, delivery, NULL, "sent %s to <%.*s>",
			notice->what, STR_ARG(notice->recipients[i]));
}

static void
hand_over_of(struct job *job, uint64_t until_ms)
{
	size_t d, i;

	for (d = 0; d < job->count; d++) {
		const struct delivery *delivery = &job->deliveries[d];

		if (!may_tell(delivery))
			continue;
		report_begin(job, delivery);
		for (i = 0; i < delivery->work->notices.count; i++)
			hand_over(job, delivery,
				&delivery->work->notices.items[i], until_ms);
	}
}

void
notices_hand_over(struct job *const *jobs, size_t count)
{
	uint64_t until_ms = clock_monotonic_ms() + NOTICES_TIME_MS;
	size_t j;

	for (j = 0; j < count; j++)
		hand_over_of(jobs[j], until_ms);
}
