/* SPDX-License-Identifier: MIT */
#include "deliver/abuse.h"

#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "mail/date.h"
#include "mail/encodedword.h"
#include "mail/letter.h"
#include "mail/reports.h"
#include "sieve/sieve.h"
#include "deliver/notices.h"
#include "deliver/report.h"
#include "deliver/returnpath.h"
#include "deliver/setup.h"

#include "base/banned.h"

/* Reports that answer each other would never end. */
static bool
is_report(const struct message *message)
{
	const struct header_field *field =
		message_field_next(message, STR("Content-Type"), NULL);

	return field != NULL &&
	       str_find_nocase(field->value, STR("feedback-report")) <
	               field->value.len;
}

/* sieve_report_from; the postmaster where that is nobody. */
static int
find_from(const struct job *job, const struct delivery *delivery,
	struct str *from_out, struct err *err)
{
	const char *policy = delivery->settings->sieve_report_from;

	*from_out = STR_EMPTY;
	if (policy[0] != '\0')
		*from_out = returnpath_of(
			job, delivery, "sieve_report_from", policy);
	if (from_out->len > 0)
		return 0;
	return setup_postmaster(job, delivery, from_out, err);
}

static const struct content *
entity(const struct job *job, const struct delivery *delivery,
	const struct sieve_abuse *abuse, struct str id)
{
	const struct job_client *client = job->client;
	const struct report_about about = {
		.original = job->message,
		.id = id,
		.host = setup_hostname(delivery->settings),
		.text = abuse->text,
		.final_recipient = delivery->final.text,
		.envid = client != NULL ? client->envid : STR_EMPTY,
	};
	const struct report_feedback feedback = {
		.type = abuse->type,
		.product = STR("Doorstep/" PACKAGE_VERSION),
		.sender = job->sender.text,
		.source_ip = client != NULL ? client->ip : STR_EMPTY,
		.arrival =
			date_text(job->arena, clock_local(clock_now().tv_sec)),
	};

	return report_abuse(job->arena, &about, &feedback, abuse->headers_only);
}

/* RFC 5965 2: the subject is that of the message. */
static struct str
subject_of(const struct job *job)
{
	const struct header_field *field =
		message_field_next(job->message, STR("Subject"), NULL);

	return field != NULL ? encodedword_decode(job->arena, field->value)
	                     : STR("Report of abuse");
}

static int
plan(struct job *job, struct delivery *delivery,
	const struct sieve_abuse *abuse, struct err *err)
{
	struct letter letter = notices_letter(job, delivery);
	struct notice notice = {.what = "report",
		.recipients = &abuse->address,
		.count = 1,
		.also_when_refused = true};

	if (find_from(job, delivery, &letter.from, err) < 0)
		return -1;
	/* Who could get it back has asked for nothing. */
	notice.sender = job->sender.is_null ? STR_EMPTY : letter.from;
	letter.to = abuse->address;
	letter.subject = subject_of(job);
	letter.auto_submitted = STR("auto-generated (report)");
	letter.original = NULL;
	if (!letter_compose(job->arena, &letter,
		    entity(job, delivery, abuse, letter.id), &notice.content))
		return err_temp(err, "4.3.5", "its From or To is no address");
	notices_add(job, delivery, &notice);
	return 0;
}

void
abuse_plan(struct job *job, struct delivery *delivery,
	const struct sieve_action *action)
{
	struct err err;

	if (is_report(job->message))
		report_line(job, delivery, NULL,
			"no report is sent: the message is one itself");
	else if (plan(job, delivery, action->abuse, &err) < 0)
		log_error("sieve: no report is sent: %s", err_log_text(&err));
}
