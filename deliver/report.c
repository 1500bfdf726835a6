/* SPDX-License-Identifier: MIT */
#include "deliver/report.h"

#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "base/vars.h"
#include "mail/encodedword.h"
#include "store/store.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

enum {
	MSGID_BYTES = 200,
	SUBJECT_BYTES = 80,
	FOLDER_BYTES = 80,
	REASON_BYTES = 512
};

static struct str
header_text(const struct job *job, const char *name)
{
	const struct header_field *field =
		message_field_next(job->message, str_from(name), NULL);

	return field != NULL ? encodedword_decode(job->arena, field->value)
	                     : STR_EMPTY;
}

static struct str
from_address(const struct job *job)
{
	const struct header_field *field =
		message_field_next(job->message, STR("From"), NULL);
	const struct address *addresses;

	if (field == NULL || address_parse_list(job->arena, field->value, 1,
				     &addresses) == 0)
		return STR_EMPTY;
	return addresses[0].text;
}

static struct str
number_text(const struct job *job, uint64_t number)
{
	return str_from(
		arena_format(job->arena, "%llu", (unsigned long long)number));
}

static struct str
format_line(const struct job *job, const struct delivery *delivery,
	const struct plan_copy *copy, struct str text)
{
	struct store_copy *stored = copy != NULL ? copy->copy : NULL;
	struct str id = utf8_cut(header_text(job, "Message-ID"), MSGID_BYTES);
	struct str size = number_text(
		job, stored != NULL ? store_copy_size(stored)
				    : message_size_lf(job->message));
	struct str vsize = number_text(
		job, stored != NULL ? store_copy_vsize(stored)
				    : message_size_crlf(job->message));
	const struct var vars[] = {
		{'$', "message", text},
		{'m', "msgid", id.len > 0 ? id : STR("unspecified")},
		{'s', "subject",
			utf8_cut(header_text(job, "Subject"), SUBJECT_BYTES)},
		{'f', "from", from_address(job)},
		{'e', "from_envelope", job->sender.text},
		{'p', "size", size},
		{'w', "vsize", vsize},
		{0, "to_envelope", delivery->final.text},
		{0, "session", setup_session(job, delivery)},
	};
	struct str line;
	struct err err;

	if (vars_expand(job->arena,
		    str_from(delivery->settings->deliver_log_format), vars,
		    ARRAY_LENGTH(vars), &line, &err) < 0) {
		log_error("deliver_log_format: %s", err_log_text(&err));
		return text;
	}
	return line;
}

static const char *
log_prefix(const struct job *job, const struct delivery *delivery)
{
	struct str prefix;
	struct err err;

	if (setup_expand_words(job, delivery,
		    delivery->settings->mail_log_prefix, &prefix, &err) < 0) {
		log_error("mail_log_prefix: %s", err_log_text(&err));
		return NULL;
	}
	return arena_text(job->arena, str_trim(prefix));
}

void
report_begin(const struct job *job, const struct delivery *delivery)
{
	struct delivery_work *work = delivery->work;

	if (work->log_prefix == NULL)
		work->log_prefix = log_prefix(job, delivery);
	if (work->log_prefix != NULL)
		log_set_prefix(work->log_prefix);
}

static void
write_line(const struct job *job, const struct delivery *delivery,
	const struct plan_copy *copy, struct str text)
{
	struct str line;

	if (delivery->settings->deliver_log_format[0] == '\0')
		return;
	line = format_line(job, delivery, copy, text);
	log_info("%s%.*s", delivery->work->script.has_script ? "sieve: " : "",
		STR_ARG(line));
}

void
report_line(const struct job *job, const struct delivery *delivery,
	const struct plan_copy *copy, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vformat(job->arena, format, args);
	va_end(args);
	write_line(job, delivery, copy, str_from(text));
}

void
report_saved(const struct job *job, const struct delivery *delivery,
	const struct plan_copy *copy)
{
	struct str folder = utf8_cut(copy->folder, FOLDER_BYTES);

	report_line(job, delivery, copy,
		delivery->work->script.has_script
			? "stored mail into mailbox '%.*s'"
			: "saved mail to %.*s",
		STR_ARG(folder));
}

void
report_full(const struct job *job, const struct delivery *delivery,
	const struct err *why)
{
	report_line(job, delivery, NULL, "save failed to %.*s: %.*s",
		STR_ARG(utf8_cut(delivery->work->folder, FOLDER_BYTES)),
		REASON_BYTES, err_log_text(why));
}

/* What a user does with his mailbox is no trouble of the system's. */
static bool
is_full(const struct err *err)
{
	return err->kind == ERR_OVER_QUOTA ||
	       (err->kind == ERR_TEMPORARY &&
		       str_is(str_from(err->status), "4.2.2"));
}

static void
report_failure(const struct job *job, const struct delivery *delivery)
{
	const struct err *err = &delivery->err;

	if (err->kind == ERR_REFUSED || err->kind == ERR_TOO_BIG)
		report_line(job, delivery, NULL, "rejected: %.*s", REASON_BYTES,
			err->text);
	else if (is_full(err))
		report_full(job, delivery, err);
	/* A client of the network may go when it likes, and come again before
	 * we know. */
	else if (delivery->work->is_ordinary && job->client != NULL)
		report_line(job, delivery, NULL, "not filed: %.*s",
			REASON_BYTES, err->detail);
	else
		log_error("%s", err_log_text(err));
}

void
report_outcome(const struct job *job, const struct delivery *delivery)
{
	if (delivery->work->is_repeated)
		return;
	switch (delivery->outcome) {
	case DELIVER_PENDING:
	case DELIVER_SAVED:
		break;
	case DELIVER_DISCARDED:
		if (delivery->work->plan->redirect_count == 0 &&
			delivery->work->plan->refusal == NULL)
			report_line(job, delivery, NULL,
				"marked message to be discarded if not "
				"explicitly delivered (discard action)");
		break;
	case DELIVER_REFUSED:
	case DELIVER_FAILED:
		report_failure(job, delivery);
		break;
	}
}
