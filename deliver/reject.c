/* SPDX-License-Identifier: MIT */
#include "deliver/reject.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "base/vars.h"
#include "mail/automatic.h"
#include "mail/compose.h"
#include "mail/encodedword.h"
#include "mail/letter.h"
#include "mail/reports.h"
#include "sieve/sieve.h"
#include "outbound/outbound.h"
#include "deliver/execute.h"
#include "deliver/notices.h"
#include "deliver/plan.h"
#include "deliver/report.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

#define NO_REASON "Message refused by the recipient's mail filter"
#define CUT_MARK "\n[...]"

enum {
	LONGEST_REASON = 16 * 1024, /* of a mail */
	SUBJECT_BYTES = 256,
	ADDRESS_BYTES = 320
};

/* UTF-8 without NUL, so that it can be a text of C; LF line ends. */
static struct str
clean_reason(struct arena *arena, const struct sieve_action *refusal)
{
	struct buf clean;
	struct str result;
	size_t i;

	buf_init(&clean, BUF_UNLIMITED);
	utf8_add_repaired(&clean, refusal->reject.reason);
	for (i = 0; i < clean.len; i++)
		if (clean.data[i] == '\0')
			clean.data[i] = '?';
	result = compose_lf(
		arena, arena_copy(arena, str_trim(buf_view(&clean))));
	buf_clear(&clean);
	return result.len > 0 ? result : STR(NO_REASON);
}

/* ---- by reply ---- */

void
reject_tell(struct delivery *delivery, const struct sieve_action *refusal)
{
	enum { ROOM = sizeof(delivery->err.text) - sizeof(CUT_MARK) };
	struct arena *scratch = arena_open();
	struct str reason = clean_reason(scratch, refusal);
	struct str shown = utf8_cut(reason, ROOM);

	err_set(&delivery->err, ERR_REFUSED, "5.7.1", "%.*s%s", STR_ARG(shown),
		shown.len < reason.len ? CUT_MARK : "");
	delivery->outcome = DELIVER_REFUSED;
	arena_close(&scratch);
}

/* RFC 6531 3.7.4: who said SMTPUTF8 reads it in replies. */
static bool
reads_utf8(const struct job *job)
{
	return job->client == NULL ||
	       str_starts(job->client->protocol, STR("UTF8"));
}

/* Why no mail may tell the sender; NULL: one may. */
static const char *
why_not(const struct job *job)
{
	const char *why = automatic_sender(&job->sender);

	return why != NULL ? why : automatic_message(job->message);
}

bool
reject_is_by_mail(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *refusal)
{
	if (job->refuses_by_mail)
		return true;
	/* RFC 5429 2.1.1: who can refuse by protocol must do so. */
	if (refusal->reject.by_protocol)
		return false;
	if (job->client != NULL && !delivery->settings->sieve_use_lmtp_reject)
		return true;
	/* A reply that lacks some letters is better than no word at all. */
	return !reads_utf8(job) && !utf8_is_ascii(refusal->reject.reason) &&
	       why_not(job) == NULL;
}

/* ---- no room ---- */

static bool
is_for_mail(const struct job *job, const struct settings *settings,
	const struct err *why)
{
	if (!job->refuses_by_mail)
		return false;
	return why->kind == ERR_TOO_BIG ||
	       (why->kind == ERR_OVER_QUOTA && !settings->quota_full_tempfail);
}

bool
reject_full(struct job *job, struct delivery *delivery, const struct err *why)
{
	struct plan *plan = delivery->work->plan;
	struct sieve_action *refusal;

	if (!is_for_mail(job, delivery->settings, why))
		return false;
	report_full(job, delivery, why);
	execute_abandon(delivery);
	refusal = ARENA_NEW(job->arena, struct sieve_action);
	refusal->kind = SIEVE_REJECT;
	refusal->script = "";
	refusal->reject.reason = arena_copy(job->arena, str_from(why->text));
	refusal->reject.by_protocol = true;
	plan->refusal = refusal;
	plan->refusal_status = arena_text(job->arena, str_from(why->status));
	plan->redirect_count = 0;
	plan->pipe_count = 0;
	delivery->work->notices.count = 0;
	return true;
}

/* ---- by mail ---- */

static int
expand(const struct job *job, const struct delivery *delivery,
	const char *template, struct str reason, struct str *text_out,
	struct err *err)
{
	const struct header_field *subject =
		message_field_next(job->message, STR("Subject"), NULL);
	const struct var vars[] = {
		{'n', NULL, STR("\n")},
		{'r', "reason", reason},
		{'s', "subject",
			subject != NULL
				? utf8_cut(encodedword_decode(
						   job->arena, subject->value),
					  SUBJECT_BYTES)
				: STR_EMPTY},
		{'t', "to", delivery->original.text},
	};

	return vars_expand(job->arena, str_from(template), vars,
		ARRAY_LENGTH(vars), text_out, err);
}

static const struct content *
entity(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *refusal, struct str id, struct str text)
{
	const struct job_client *client = job->client;
	const struct report_about about = {
		.original = job->message,
		.id = id,
		.host = setup_hostname(delivery->settings),
		.text = text,
		.orcpt = delivery->orcpt,
		.original_recipient = delivery->original.text,
		.final_recipient = delivery->final.text,
		.envid = client != NULL ? client->envid : STR_EMPTY,
	};

	const char *status = delivery->work->plan->refusal_status;

	return refusal->reject.by_protocol
	               ? report_failed_delivery(job->arena, &about,
				 str_from(status != NULL ? status : "5.7.1"))
	               : report_disposition(job->arena, &about);
}

/* RFC 8098 3: an MDN comes from the person it is about; RFC 3464 2.1.2: a DSN from
 * whoever looks after the mail system.  Both say who has written it. */
static int
find_from(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *refusal, struct str *from_out,
	struct err *err)
{
	struct str address = delivery->original.text;
	bool is_mdn = !refusal->reject.by_protocol &&
	              delivery->original.domain.len > 0;

	if (!is_mdn && setup_postmaster(job, delivery, &address, err) < 0)
		return -1;
	*from_out = str_from(arena_format(job->arena,
		is_mdn ? "Postmaster on behalf of the recipient <%.*s>"
		       : "Postmaster <%.*s>",
		STR_ARG(address)));
	return 0;
}

static int
compose(const struct job *job, const struct delivery *delivery,
	const struct sieve_action *refusal, const struct content **content_out,
	struct err *err)
{
	static const struct letter_field fields[] = {
		{STR("Precedence"), STR("bulk")}};
	const struct settings *settings = delivery->settings;
	struct str reason =
		utf8_cut(clean_reason(job->arena, refusal), LONGEST_REASON);
	struct str text;
	struct letter letter = notices_letter(job, delivery);

	letter.to = job->sender.text;
	letter.auto_submitted = STR("auto-replied (rejected)");
	letter.fields = fields;
	letter.field_count = ARRAY_LENGTH(fields);
	if (find_from(job, delivery, refusal, &letter.from, err) < 0 ||
		expand(job, delivery, settings->rejection_subject, reason,
			&letter.subject, err) < 0 ||
		expand(job, delivery, settings->rejection_reason, reason, &text,
			err) < 0)
		return -1;
	if (!letter_compose(job->arena, &letter,
		    entity(job, delivery, refusal, letter.id, text),
		    content_out))
		return err_temp(err, "4.3.5",
			"a refusal cannot be mailed from %.*s to %.*s",
			STR_ARG(letter.from), STR_ARG(letter.to));
	return 0;
}

static int
send(struct job *job, struct delivery *delivery,
	const struct sieve_action *refusal, struct err *err)
{
	const struct outbound_settings settings =
		setup_outbound(delivery->settings);
	struct outbound_mail mail = {
		.recipients = &job->sender.text, .count = 1};

	if (compose(job, delivery, refusal, &mail.content, err) < 0)
		return -1;
	return outbound_submit(&settings, &mail, err);
}

int
reject_hand_over(struct job *job, struct delivery *delivery, struct err *err)
{
	const struct sieve_action *refusal = delivery->work->plan->refusal;
	const char *why;

	if (refusal == NULL || !reject_is_by_mail(job, delivery, refusal))
		return 0;
	why = why_not(job);
	if (why != NULL) {
		report_line(job, delivery, NULL,
			"rejected without a word to the sender: %s", why);
		return 0;
	}
	if (send(job, delivery, refusal, err) < 0)
		return -1;
	report_line(job, delivery, NULL, "rejected: sent %s to <%.*s>",
		refusal->reject.by_protocol ? "a delivery status notification"
					    : "a disposition notification",
		STR_ARG(utf8_cut(job->sender.text, ADDRESS_BYTES)));
	return 0;
}
