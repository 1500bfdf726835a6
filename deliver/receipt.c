/* SPDX-License-Identifier: MIT */
#include "deliver/receipt.h"

#include "base/log.h"
#include "mail/letter.h"
#include "mail/reports.h"
#include "deliver/notices.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

/* NOTIFY=SUCCESS,FAILURE */
static bool
is_wanted(const struct delivery *delivery)
{
	struct str rest = delivery->notify, word;

	while (str_next_field(&rest, ',', &word))
		if (str_is_nocase(word, "SUCCESS"))
			return true;
	return false;
}

static const struct content *
entity(const struct job *job, const struct delivery *delivery, struct str id)
{
	const struct job_client *client = job->client;
	const struct report_about about = {
		.original = job->message,
		.id = id,
		.host = setup_hostname(delivery->settings),
		.text = str_from(arena_format(job->arena,
			"Your message to <%.*s> was delivered.\n",
			STR_ARG(delivery->final.text))),
		.orcpt = delivery->orcpt,
		.final_recipient = delivery->final.text,
		.envid = client != NULL ? client->envid : STR_EMPTY,
	};

	return report_delivery(job->arena, &about);
}

/* RFC 3464 2.1.2: it comes from whoever looks after the mail system. */
static int
add(struct job *job, struct delivery *delivery, struct err *err)
{
	struct letter letter = notices_letter(job, delivery);
	struct notice notice = {.what = "delivery status notification",
		.recipients = &job->sender.text,
		.count = 1,
		.only_when_saved = true};
	struct str postmaster;

	if (setup_postmaster(job, delivery, &postmaster, err) < 0)
		return -1;
	letter.from = str_from(arena_format(
		job->arena, "Postmaster <%.*s>", STR_ARG(postmaster)));
	letter.to = job->sender.text;
	letter.subject = STR("Delivered: your message");
	letter.auto_submitted = STR("auto-generated (delivered)");
	if (!letter_compose(job->arena, &letter,
		    entity(job, delivery, letter.id), &notice.content))
		return err_temp(err, "4.3.5", "its From or To is no address");
	notices_add(job, delivery, &notice);
	return 0;
}

void
receipt_plan(struct job *job, struct delivery *delivery)
{
	struct err err;

	if (job->sender.is_null || !job->sender_is_known ||
		!is_wanted(delivery))
		return;
	if (add(job, delivery, &err) < 0)
		log_error("no delivery status notification is sent: %s",
			err_log_text(&err));
}
