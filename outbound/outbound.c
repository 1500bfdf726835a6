/* SPDX-License-Identifier: MIT */
#include "outbound/outbound.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fd.h"
#include "outbound/mailer.h"
#include "outbound/request.h"
#include "outbound/sendmail.h"
#include "outbound/srs.h"

#include "base/banned.h"

/* Recipients that are asked for together. */
struct part {
	struct outbound_mail mail;
	struct mailer *mailer; /* NULL: there is a result */
	struct err *results;
};

struct outbound_pending {
	struct arena *arena;
	struct outbound_settings settings;
	struct err *results;
	struct part *parts;
	size_t part_count;
};

static bool
is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* ---- secrets ---- */

enum { SECRET_MAX = 64 * 1024 };

static int
read_secret(
	struct arena *arena, struct outbound_secret *secret, struct err *err)
{
	struct buf buf;
	int result = 0;

	if (secret->path == NULL)
		return 0;
	buf_init(&buf, SECRET_MAX);
	if (fd_read_file(secret->path, &buf) < 0)
		result = err_temp_errno(
			err, "4.3.5", "cannot read %s", secret->path);
	else
		secret->text = arena_copy(arena, buf_view(&buf));
	if (str_ends(secret->text, STR("\n")))
		secret->text.len--;
	secret->path = NULL;
	buf_clear(&buf);
	return result;
}

int
outbound_read_secrets(struct arena *arena, struct outbound_settings *settings,
	struct err *err)
{
	if (is_set(settings->relay.host) && is_set(settings->relay.user) &&
		read_secret(arena, &settings->relay.password, err) < 0)
		return -1;
	if (is_set(settings->srs.domain) &&
		read_secret(arena, &settings->srs.secrets, err) < 0)
		return -1;
	return 0;
}

/* ---- a mail ---- */

static void
set_all(struct part *part, const struct err *err)
{
	size_t i;

	for (i = 0; i < part->mail.count; i++)
		part->results[i] = *err;
}

static int
run_sendmail(const struct outbound_pending *pending, const struct part *part,
	struct err *err)
{
	const struct outbound_srs *srs = &pending->settings.srs;
	struct outbound_mail mail = part->mail;

	if (mail.is_forwarded && is_set(srs->domain) &&
		srs_rewrite(pending->arena, srs->domain, srs->secrets.text,
			mail.sender, (uint64_t)clock_now().tv_sec, &mail.sender,
			err) < 0)
		return -1;
	return sendmail_submit(&pending->settings, &mail, err);
}

/* NONE: there is no mailer here, and there need not be one. */
static enum lookup
ask_mailer(struct outbound_pending *pending, struct part *part, struct err *err)
{
	enum lookup found;

	if (!is_set(pending->settings.mailer))
		return LOOKUP_NONE;
	found = mailer_connect(
		pending->arena, &pending->settings, &part->mailer, err);
	if (found != LOOKUP_FOUND)
		return found;
	return mailer_ask(part->mailer, &part->mail, err) < 0 ? LOOKUP_ERROR
	                                                      : LOOKUP_FOUND;
}

static int
ask_helper(struct outbound_pending *pending, struct part *part, struct err *err)
{
	if (mailer_start_helper(
		    pending->arena, &pending->settings, &part->mailer, err) < 0)
		return -1;
	return mailer_ask(part->mailer, &part->mail, err);
}

static int
begin(struct outbound_pending *pending, struct part *part, struct err *err)
{
	switch (ask_mailer(pending, part, err)) {
	case LOOKUP_FOUND:
		return 0;
	case LOOKUP_ERROR:
		return -1;
	case LOOKUP_NONE:
		break;
	}
	if (outbound_read_secrets(pending->arena, &pending->settings, err) < 0)
		return -1;
	if (is_set(pending->settings.relay.host))
		return ask_helper(pending, part, err);
	return run_sendmail(pending, part, err);
}

static void
begin_part(struct outbound_pending *pending, struct part *part,
	const struct outbound_mail *mail, size_t first)
{
	size_t left = mail->count - first;
	struct err err;

	err_clear(&err);
	part->mail = *mail;
	part->mail.recipients += first;
	if (part->mail.marks != NULL)
		part->mail.marks += first * OUTBOUND_MARKS;
	part->mail.count =
		left < REQUEST_RECIPIENTS_MAX ? left : REQUEST_RECIPIENTS_MAX;
	part->results = pending->results + first;
	if (begin(pending, part, &err) == 0)
		return;
	mailer_close(&part->mailer);
	set_all(part, &err);
}

/* RFC 3464 2 */
static struct outbound_mail
no_notification_of_null(struct outbound_mail mail)
{
	if (mail.sender.len == 0)
		mail.wishes.notify = STR("NEVER");
	return mail;
}

static enum lookup
leave_some(struct arena *arena, const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err)
{
	struct mailer *mailer = NULL;
	enum lookup found = mailer_connect(arena, settings, &mailer, err);

	if (found == LOOKUP_FOUND && mailer_ask(mailer, mail, err) < 0)
		found = LOOKUP_ERROR;
	mailer_close(&mailer);
	return found;
}

enum lookup
outbound_leave(const struct outbound_settings *settings,
	const struct outbound_mail *mail, struct err *err)
{
	struct arena *arena = arena_open();
	struct outbound_mail part = no_notification_of_null(*mail);
	enum lookup found =
		is_set(settings->mailer) ? LOOKUP_FOUND : LOOKUP_NONE;
	size_t first;

	for (first = 0; first < mail->count && found == LOOKUP_FOUND;
		first += part.count) {
		part.recipients = mail->recipients + first;
		part.count = mail->count - first;
		if (part.count > REQUEST_RECIPIENTS_MAX)
			part.count = REQUEST_RECIPIENTS_MAX;
		found = leave_some(arena, settings, &part, err);
	}
	arena_close(&arena);
	return found;
}

struct outbound_pending *
outbound_begin(struct arena *arena, const struct outbound_settings *settings,
	const struct outbound_mail *mail)
{
	struct outbound_pending *pending =
		ARENA_NEW(arena, struct outbound_pending);
	size_t i;

	pending->arena = arena;
	pending->settings = *settings;
	pending->results = ARENA_ARRAY(arena, struct err, mail->count);
	pending->part_count = (mail->count + REQUEST_RECIPIENTS_MAX - 1) /
	                      REQUEST_RECIPIENTS_MAX;
	pending->parts = ARENA_ARRAY(arena, struct part, pending->part_count);
	for (i = 0; i < pending->part_count; i++)
		begin_part(pending, &pending->parts[i], mail,
			i * REQUEST_RECIPIENTS_MAX);
	return pending;
}

const struct err *
outbound_finish(struct outbound_pending *pending)
{
	size_t i;

	for (i = 0; i < pending->part_count; i++) {
		struct part *part = &pending->parts[i];
		struct err err;

		if (part->mailer == NULL)
			continue;
		err_clear(&err);
		if (mailer_wait(part->mailer, part->results, &err) < 0)
			set_all(part, &err);
		mailer_close(&part->mailer);
	}
	return pending->results;
}

int
outbound_submit(const struct outbound_settings *settings,
	const struct outbound_mail *wanted, struct err *err)
{
	struct arena *arena = arena_open();
	struct outbound_mail mail = no_notification_of_null(*wanted);
	const struct err *results;
	size_t i;
	int result = 0;

	results = outbound_finish(outbound_begin(arena, settings, &mail));
	for (i = 0; i < mail.count && result == 0; i++) {
		if (results[i].kind == ERR_NONE)
			continue;
		*err = results[i];
		result = -1;
	}
	arena_close(&arena);
	return result;
}
