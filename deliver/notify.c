/* SPDX-License-Identifier: MIT */
#include "deliver/notify.h"

#include "config.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "mail/automatic.h"
#include "mail/compose.h"
#include "mail/encodedword.h"
#include "mail/letter.h"
#include "mail/mailto.h"
#include "sieve/sieve.h"
#include "deliver/notices.h"
#include "deliver/report.h"
#include "deliver/returnpath.h"
#include "deliver/setup.h"
#include "deliver/work.h"

#include "base/banned.h"

/* Bytes; RFC 5436 2.6: an excessively long one is cut. */
enum { LONGEST_SUBJECT = 4096 };

static const char what[] = "notification";

/* One that is being written. */
struct notification {
	struct job *job;
	struct delivery *delivery;
	const struct sieve_action *action;
	const struct sieve_notify *notify;
	struct mailto mailto;
	struct str postmaster;
};

/* ---- whom ---- */

static bool
is_told(const struct delivery *delivery, struct str address)
{
	const struct work_notices *notices = &delivery->work->notices;
	size_t n, i;

	for (n = 0; n < notices->count; n++)
		for (i = 0; notices->items[n].what == what &&
			    i < notices->items[n].count;
			i++)
			if (str_equal_nocase(
				    notices->items[n].recipients[i], address))
				return true;
	return false;
}

static size_t
choose_recipients(
	const struct notification *notification, struct str **recipients_out)
{
	const struct mailto *mailto = &notification->mailto;
	struct str *chosen = ARENA_ARRAY(
		notification->job->arena, struct str, mailto->count);
	size_t count = 0, i;

	for (i = 0; i < mailto->count; i++)
		if (!is_told(notification->delivery, mailto->recipients[i]))
			chosen[count++] = mailto->recipients[i];
	*recipients_out = chosen;
	return count;
}

/* A header list of [from, to). */
static struct str
join(struct arena *arena, const struct mailto *mailto, size_t from, size_t to)
{
	struct buf buf;
	struct str list;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = from; i < to; i++) {
		if (i > from)
			buf_add_text(&buf, ", ");
		buf_add(&buf, mailto->recipients[i]);
	}
	list = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return list;
}

/* ---- from whom (RFC 5436 2.7) ---- */

static struct str
from_of(const struct notification *notification)
{
	if (notification->notify->from.len > 0)
		return notification->notify->from;
	return str_from(arena_format(notification->job->arena,
		"Postmaster <%.*s>", STR_ARG(notification->postmaster)));
}

static struct str
envelope_sender(const struct notification *notification)
{
	const struct job *job = notification->job;
	const char *policy = notification->delivery->settings
	                             ->sieve_notify_mailto_envelope_from;
	const struct address *addresses;

	if (job->sender.is_null || job->sender.text.len == 0)
		return STR_EMPTY;
	if (policy[0] != '\0')
		return returnpath_of(job, notification->delivery,
			"sieve_notify_mailto_envelope_from", policy);
	if (notification->notify->from.len > 0 &&
		address_parse_list(job->arena, notification->notify->from, 1,
			&addresses) == 1)
		return addresses[0].text;
	return notification->postmaster;
}

/* ---- its header ---- */

/* RFC 5436 2.7.1.  A quoted string (RFC 5322 3.2.4). */
static struct str
auto_submitted(const struct notification *notification)
{
	const struct job *job = notification->job;
	struct str owner = notification->delivery->original.text;
	struct buf buf;
	struct str value;
	size_t i;

	if (owner.len == 0)
		owner = notification->postmaster;
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "auto-notified; owner-email=\"");
	for (i = 0; i < owner.len; i++) {
		if (owner.data[i] == '"' || owner.data[i] == '\\')
			buf_add_char(&buf, '\\');
		buf_add_char(&buf, owner.data[i]);
	}
	buf_add_char(&buf, '"');
	value = arena_copy(job->arena, buf_view(&buf));
	buf_clear(&buf);
	return value;
}

static struct str
subject_of(const struct notification *notification)
{
	const struct header_field *field = message_field_next(
		notification->job->message, STR("Subject"), NULL);
	struct str subject = STR_EMPTY;

	if (notification->notify->has_message)
		subject = notification->notify->message;
	else if (notification->mailto.has_subject)
		subject = notification->mailto.subject;
	else if (field != NULL)
		subject = encodedword_decode(
			notification->job->arena, field->value);
	return utf8_cut(subject, LONGEST_SUBJECT);
}

/* Fields that say what is not so, or that are ours to write. */
static bool
is_unsafe(struct str name)
{
	static const char *const names[] = {"Apparently-To", "Auto-Submitted",
		"Authentication-Results", "Bcc", "Date", "Delivered-To",
		"DKIM-Signature", "From", "Importance", "Message-ID",
		"MIME-Version", "Received", "Return-Path", "Sender",
		"X-Priority", "X-Sieve"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (str_is_nocase(name, names[i]))
			return true;
	return str_starts_nocase(name, STR("ARC-")) ||
	       str_starts_nocase(name, STR("Content-")) ||
	       str_starts_nocase(name, STR("Resent-")) ||
	       str_starts_nocase(name, STR("X-Sieve-"));
}

/* "reply-to" -> "Reply-to", as RFC 5436 2.7 suggests. */
static struct str
capitalized(struct arena *arena, struct str name)
{
	char *copy = arena_text(arena, name);

	copy[0] = ascii_upper(copy[0]);
	return str_of(copy, name.len);
}

static bool
is_of_thread(struct str name)
{
	return str_is_nocase(name, "References") ||
	       str_is_nocase(name, "In-Reply-To");
}

static size_t
add_uri_headers(const struct notification *notification, struct letter *letter,
	struct letter_field *fields)
{
	const struct mailto *mailto = &notification->mailto;
	size_t count = 0, i;

	for (i = 0; i < mailto->header_count; i++) {
		struct str name = mailto->headers[i].name;

		if (is_unsafe(name))
			continue;
		if (is_of_thread(name))
			letter->original = NULL;
		fields[count++] = (struct letter_field){
			capitalized(notification->job->arena, name),
			mailto->headers[i].value};
	}
	return count;
}

static void
add_fields(const struct notification *notification, struct letter *letter)
{
	enum { OWN = 4 };
	static const struct {
		struct str importance, priority;
	} words[] = {{STR("High"), STR("1 (Highest)")},
		{STR("Normal"), STR("3 (Normal)")},
		{STR("Low"), STR("5 (Lowest)")}};
	const struct mailto *mailto = &notification->mailto;
	struct arena *arena = notification->job->arena;
	size_t importance = (size_t)(notification->notify->importance - '1');
	struct letter_field *fields = ARENA_ARRAY(
		arena, struct letter_field, mailto->header_count + OWN);
	size_t count = add_uri_headers(notification, letter, fields);

	if (mailto->count > mailto->to_count)
		fields[count++] = (struct letter_field){STR("Cc"),
			join(arena, mailto, mailto->to_count, mailto->count)};
	fields[count++] = (struct letter_field){
		STR("Importance"), words[importance].importance};
	fields[count++] = (struct letter_field){
		STR("X-Priority"), words[importance].priority};
	fields[count++] = (struct letter_field){
		STR("X-Sieve"), STR("Doorstep Sieve " PACKAGE_VERSION)};
	letter->fields = fields;
	letter->field_count = count;
}

/* ---- all of it ---- */

static const struct content *
entity(const struct notification *notification)
{
	struct arena *arena = notification->job->arena;
	struct str body = notification->mailto.has_body
	                          ? compose_lf(arena, notification->mailto.body)
	                          : STR("Notification of a new message.\n");

	return letter_text(arena, notification->job->message, body);
}

static bool
compose(const struct notification *notification,
	const struct content **content_out)
{
	const struct mailto *mailto = &notification->mailto;
	struct arena *arena = notification->job->arena;
	struct letter letter =
		notices_letter(notification->job, notification->delivery);

	letter.from = from_of(notification);
	letter.to = join(arena, mailto, 0, mailto->to_count);
	letter.subject = subject_of(notification);
	letter.auto_submitted = auto_submitted(notification);
	add_fields(notification, &letter);
	return letter_compose(
		arena, &letter, entity(notification), content_out);
}

static int
begin(struct notification *notification, struct err *err)
{
	const struct settings *settings = notification->delivery->settings;

	if (mailto_parse(notification->job->arena, notification->notify->method,
		    settings->sieve_notify_mailto_max_recipients,
		    settings->sieve_notify_mailto_max_headers,
		    &notification->mailto, err) < 0)
		return -1;
	return setup_postmaster(notification->job, notification->delivery,
		&notification->postmaster, err);
}

static void
plan(struct notification *notification)
{
	struct notice notice = {.what = what, .also_when_refused = true};
	struct str *recipients;

	notice.count = choose_recipients(notification, &recipients);
	notice.recipients = recipients;
	notice.sender = envelope_sender(notification);
	notice.copy = notices_copy(notification->job, notification->action);
	if (notice.count == 0)
		report_line(notification->job, notification->delivery, NULL,
			"no notification is sent: nobody is left to be told");
	else if (!compose(notification, &notice.content))
		log_error("sieve: no notification is sent: its From or To is "
			  "no address");
	else
		notices_add(notification->job, notification->delivery, &notice);
}

void
notify_plan(struct job *job, struct delivery *delivery,
	const struct sieve_action *action)
{
	struct notification notification = {.job = job,
		.delivery = delivery,
		.action = action,
		.notify = action->notify};
	struct err err;

	if (automatic_is_submitted(job->message))
		report_line(job, delivery, NULL,
			"no notification is sent: the message is "
			"auto-submitted");
	else if (begin(&notification, &err) < 0)
		log_error("sieve: no notification is sent: %s",
			err_log_text(&err));
	else
		plan(&notification);
}
