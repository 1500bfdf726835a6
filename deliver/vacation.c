/* SPDX-License-Identifier: MIT */
#include "deliver/vacation.h"

#include <string.h>

#include "base/attributes.h"
#include "base/log.h"
#include "mail/letter.h"
#include "deliver/notices.h"
#include "deliver/plan.h"
#include "deliver/work.h"

#include "base/banned.h"

static const struct content *
entity_of(const struct job *job, const struct sieve_vacation *vacation)
{
	const struct content *entity;

	/* One that cannot be used has ended the script. */
	if (vacation->is_mime && letter_ready(job->arena, job->message,
					 vacation->reason, &entity))
		return entity;
	return letter_text(job->arena, job->message, vacation->reason);
}

static bool
compose(const struct job *job, const struct delivery *delivery,
	const struct sieve_vacation *vacation,
	const struct content **content_out)
{
	/* RFC 3834 3.1.7, and what programs look at that do not know it. */
	static const struct letter_field fields[] = {
		{{"Precedence", 10}, {"bulk", 4}},
		{{"X-Auto-Response-Suppress", 24}, {"All", 3}},
	};
	struct letter letter = notices_letter(job, delivery);

	letter.from = vacation->from;
	letter.to = vacation->to;
	letter.subject = vacation->subject;
	letter.auto_submitted = STR("auto-replied (vacation)");
	letter.fields = fields;
	letter.field_count = ARRAY_LENGTH(fields);
	return letter_compose(
		job->arena, &letter, entity_of(job, vacation), content_out);
}

static const struct sieve_mark *
once(const struct job *job, const struct sieve_vacation *vacation)
{
	struct sieve_mark *mark;

	if (vacation->seconds == 0)
		return NULL;
	mark = ARENA_NEW(job->arena, struct sieve_mark);
	memcpy(mark->key, vacation->key, sizeof(mark->key));
	mark->seconds = vacation->seconds;
	mark->kind = SIEVE_MARK_VACATION;
	return mark;
}

void
vacation_plan(struct job *job, struct delivery *delivery,
	const struct sieve_action *action)
{
	const struct sieve_vacation *vacation = action->vacation;
	struct notice notice = {
		.what = "vacation response",
		.is_answer = true,
		.recipients = &vacation->recipient,
		.count = 1,
		.once = once(job, vacation),
		.copy = notices_copy(job, action),
	};

	/* RFC 5230 5.1 wants the null sender, and no report either way. */
	if (delivery->settings->sieve_vacation_send_from_recipient)
		notice.sender = vacation->user;
	if (!compose(job, delivery, vacation, &notice.content)) {
		log_error("sieve: no vacation response to <%.*s>: its From or "
			  "To is no address",
			STR_ARG(vacation->recipient));
		return;
	}
	notices_add(job, delivery, &notice);
}
