/* SPDX-License-Identifier: MIT */
#include "deliver/notices.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/session_id.h"
#include "outbound/outbound.h"
#include "deliver/mailboxes.h"
#include "deliver/quota.h"
#include "deliver/report.h"
#include "deliver/seen.h"
#include "deliver/setup.h"
#include "deliver/warnings.h"
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

struct letter
notices_letter(const struct job *job, const struct delivery *delivery)
{
	time_t now = clock_now().tv_sec;
	char random[SESSION_ID_LEN + 1];

	session_id_make(random);
	return (struct letter){
		.date = clock_local(now),
		.id = letter_id(job->arena,
			str_from(arena_format(
				job->arena, "%lld.%s", (long long)now, random)),
			setup_hostname(delivery->settings)),
		.original = job->message,
	};
}

const struct plan_copy *
notices_copy(struct job *job, const struct sieve_action *action)
{
	struct plan_copy *copy;

	if (action->fileinto.mailbox.len == 0)
		return NULL;
	copy = ARENA_NEW(job->arena, struct plan_copy);
	copy->folder = action->fileinto.mailbox;
	copy->create = action->fileinto.create;
	plan_set_flags(job, copy, &action->fileinto.flags);
	return copy;
}

static bool
may_tell(const struct delivery *delivery)
{
	return delivery->work != NULL && !delivery->work->is_repeated &&
	       (delivery->outcome == DELIVER_SAVED ||
		       delivery->outcome == DELIVER_DISCARDED ||
		       delivery->outcome == DELIVER_REFUSED);
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

static struct outbound_mail
mail_of(const struct notice *notice)
{
	return (struct outbound_mail){.sender = notice->sender,
		.recipients = notice->recipients,
		.count = notice->count,
		.content = notice->content,
		.wishes.notify = notice->is_answer ? STR("NEVER") : STR_EMPTY};
}

static int
submit(const struct delivery *delivery, const struct notice *notice,
	uint64_t until_ms, struct err *err)
{
	struct outbound_settings settings = setup_outbound(delivery->settings);
	const struct outbound_mail mail = mail_of(notice);

	if (!limit_time(&settings, until_ms))
		return err_temp(
			err, "4.4.2", "those before it have taken too long");
	return outbound_submit(&settings, &mail, err);
}

/* ---- a copy (RFC 8580) ---- */

static int
take_room(const struct job *job, const struct delivery *delivery,
	const struct quota_item *item, struct quota **quota_out,
	struct err *err)
{
	size_t wrong;

	if (quota_open_user(
		    job, delivery, delivery->work->store, quota_out, err) < 0)
		return -1;
	return *quota_out != NULL ? quota_take(*quota_out, item, 1, &wrong, err)
	                          : 0;
}

static int
commit(struct store_copy *stored, struct err *err)
{
	return store_commit(stored, err) < 0 ||
	                       store_settle(&stored, 1, err) < 0
	               ? -1
	               : 0;
}

/* Counted as any other message. */
static int
finish_copy(const struct job *job, const struct delivery *delivery,
	struct store_copy *stored, struct err *err)
{
	const struct quota_item item = {
		store_copy_folder(stored), store_copy_size(stored)};
	struct quota *quota = NULL;
	int result = take_room(job, delivery, &item, &quota, err);

	if (result == 0 && quota != NULL)
		quota_begin(quota);
	if (result == 0)
		result = commit(stored, err);
	if (result == 0 && quota != NULL) {
		quota_end(quota, &item, 1);
		warnings_collect(job, delivery, quota);
	}
	quota_close(&quota);
	return result;
}

static enum store_result
file_into(const struct job *job, const struct delivery *delivery,
	const struct notice *notice, struct str folder, struct err *err)
{
	const struct plan_copy *copy = notice->copy;
	struct delivery_work *work = delivery->work;
	unsigned flags = (copy->create ? STORE_CREATE_FOLDER : 0) |
	                 mailboxes_flags(work->mailboxes, folder);
	struct store_copy *stored = NULL;
	enum store_result result = store_write(work->store, folder, flags,
		notice->content, copy->store_flags, &stored, err);

	if (result != STORE_OK)
		return result;
	if (store_set_keywords(
		    stored, copy->keywords, copy->keyword_count, err) < 0 ||
		finish_copy(job, delivery, stored, err) < 0)
		result = STORE_FAILED;
	else
		log_info("sieve: stored a copy of the %s into mailbox '%.*s'",
			notice->what, STR_ARG(store_copy_folder(stored)));
	store_copy_close(&stored);
	return result;
}

/* RFC 8580 3: where the folder is missing the copy goes where a fileinto's would. */
static void
file_copy(const struct job *job, const struct delivery *delivery,
	const struct notice *notice)
{
	struct str folder = notice->copy->folder;
	struct err err;
	enum store_result result =
		file_into(job, delivery, notice, folder, &err);

	if (result == STORE_OK)
		return;
	log_error("sieve: failed to store a copy of the %s into mailbox "
		  "'%.*s': %s",
		notice->what, STR_ARG(folder), err_log_text(&err));
	if (result == STORE_NO_FOLDER &&
		file_into(job, delivery, notice, STR("INBOX"), &err) !=
			STORE_OK)
		log_error("sieve: nor into INBOX: %s", err_log_text(&err));
}

/* ---- sending ---- */

/* False: somebody has it already, or nobody knows. */
static bool
claim(struct job *job, const struct delivery *delivery,
	const struct notice *notice)
{
	struct err err;

	if (notice->once == NULL)
		return true;
	switch (seen_claim(job, delivery, notice->once, &err)) {
	case LOOKUP_FOUND:
		return true;
	case LOOKUP_NONE:
		log_debug("sieve: %s to <%.*s> was sent by another delivery",
			notice->what, STR_ARG(notice->recipients[0]));
		return false;
	case LOOKUP_ERROR:
		break;
	}
	log_error("sieve: %s to <%.*s> is not sent, as it cannot be "
		  "remembered: %s",
		notice->what, STR_ARG(notice->recipients[0]),
		err_log_text(&err));
	return false;
}

static void
tell_sent(struct job *job, const struct delivery *delivery,
	const struct notice *notice)
{
	size_t i;

	for (i = 0; i < notice->count; i++)
		report_line(job, delivery, NULL, "sent %s to <%.*s>",
			notice->what, STR_ARG(notice->recipients[i]));
}

/* NONE: there is nobody to leave it with. */
static enum lookup
leave(const struct job *job, const struct delivery *delivery,
	const struct notice *notice, struct err *err)
{
	const struct outbound_settings settings =
		setup_outbound(delivery->settings);
	struct outbound_notice description = {.what = str_from(notice->what),
		.user = str_from(delivery->user),
		.session = setup_session(job, delivery),
		.has_mark = notice->once != NULL};
	struct outbound_mail mail = mail_of(notice);

	if (!job->leaves_notices)
		return LOOKUP_NONE;
	if (notice->once != NULL)
		seen_key(delivery, notice->once->key, description.mark);
	mail.notice = &description;
	return outbound_leave(&settings, &mail, err);
}

static void
tell_left(struct job *job, const struct delivery *delivery,
	const struct notice *notice)
{
	size_t i;

	for (i = 0; i < notice->count; i++)
		report_line(job, delivery, NULL,
			"left %s to <%.*s> with the mailer", notice->what,
			STR_ARG(notice->recipients[i]));
}

static int
leave_or_submit(struct job *job, const struct delivery *delivery,
	const struct notice *notice, uint64_t until_ms, struct err *err)
{
	switch (leave(job, delivery, notice, err)) {
	case LOOKUP_FOUND:
		tell_left(job, delivery, notice);
		return 0;
	case LOOKUP_ERROR:
		return -1;
	case LOOKUP_NONE:
		break;
	}
	if (submit(delivery, notice, until_ms, err) < 0)
		return -1;
	tell_sent(job, delivery, notice);
	return 0;
}

static void
hand_over(struct job *job, const struct delivery *delivery,
	const struct notice *notice, uint64_t until_ms)
{
	struct err err;

	if (!claim(job, delivery, notice))
		return;
	if (leave_or_submit(job, delivery, notice, until_ms, &err) < 0) {
		log_error("sieve: failed to send %s to <%.*s>: %s",
			notice->what, STR_ARG(notice->recipients[0]),
			err_log_text(&err));
		if (notice->once != NULL)
			seen_give_back(job, delivery, notice->once, 1);
		return;
	}
	if (notice->copy != NULL)
		file_copy(job, delivery, notice);
}

/* By a reply or by mail: that is the sender's answer (RFC 5429 2.4). */
static bool
is_refused(const struct delivery *delivery)
{
	const struct plan *plan = delivery->work->plan;

	return plan != NULL && plan->refusal != NULL;
}

static bool
is_due(const struct delivery *delivery, const struct notice *notice)
{
	if (notice->only_when_saved && delivery->outcome != DELIVER_SAVED)
		return false;
	return notice->also_when_refused || !is_refused(delivery);
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
			if (is_due(delivery, &delivery->work->notices.items[i]))
				hand_over(job, delivery,
					&delivery->work->notices.items[i],
					until_ms);
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
