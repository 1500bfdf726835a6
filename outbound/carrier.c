/* SPDX-License-Identifier: MIT */
#include "outbound/carrier.h"

#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "mail/address.h"
#include "mail/message.h"
#include "outbound/sendmail.h"
#include "outbound/srs.h"

#include "base/banned.h"

void
carrier_init(struct carrier *carrier, const struct outbound_settings *settings)
{
	carrier->settings = *settings;
	smtp_init(&carrier->smtp, &carrier->settings.relay);
}

bool
carrier_is_connected(const struct carrier *carrier)
{
	return smtp_is_open(&carrier->smtp);
}

void
carrier_disconnect(struct carrier *carrier)
{
	smtp_close(&carrier->smtp);
}

void
carrier_clear(struct carrier *carrier)
{
	smtp_clear(&carrier->smtp);
}

/* ---- what was asked ---- */

/* Who asks may be anybody: nothing of an address may end a command. */
static int
read_address(
	struct arena *arena, struct str *text, unsigned flags, struct err *err)
{
	struct address address;

	if (address_parse_path(arena, *text, flags | ADDRESS_BRACKETS_OPTIONAL,
		    &address, err) < 0)
		return err_set(err, ERR_REFUSED, "5.1.3",
			"an address cannot be sent to");
	*text = address.text;
	return 0;
}

static bool
is_plain(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return false;
	return true;
}

/* ENVID and ORCPT are encoded on the way, the others are not. */
static int
check_wishes(const struct outbound_wishes *wishes, struct err *err)
{
	size_t type = str_find_char(wishes->orcpt, ';');

	if (is_plain(wishes->notify) && is_plain(wishes->ret) &&
		is_plain(wishes->by) &&
		is_plain(str_slice(wishes->orcpt, 0, type)))
		return 0;
	return err_set(err, ERR_REFUSED, "5.5.4", "a parameter is wrong");
}

static int
read_envelope(struct arena *arena, const struct request_submit *submit,
	struct outbound_mail *mail, struct err *err)
{
	struct str *recipients = ARENA_ARRAY(arena, struct str, submit->count);
	size_t i;

	*mail = (struct outbound_mail){.sender = submit->sender,
		.recipients = recipients,
		.count = submit->count,
		.wishes = submit->wishes,
		.is_forwarded = submit->is_forwarded};
	if (check_wishes(&mail->wishes, err) < 0 ||
		read_address(arena, &mail->sender,
			ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED, err) < 0)
		return -1;
	for (i = 0; i < submit->count; i++) {
		recipients[i] = submit->recipients[i];
		if (read_address(arena, &recipients[i], ADDRESS_LOCAL_ALLOWED,
			    err) < 0)
			return -1;
	}
	return 0;
}

static int
rewrite_sender(const struct carrier *carrier, struct arena *arena,
	struct outbound_mail *mail, struct err *err)
{
	const struct outbound_srs *srs = &carrier->settings.srs;

	if (!mail->is_forwarded || srs->domain == NULL ||
		srs->domain[0] == '\0')
		return 0;
	return srs_rewrite(arena, srs->domain, srs->secrets.text, mail->sender,
		(uint64_t)clock_now().tv_sec, &mail->sender, err);
}

static int
open_message(const struct carrier *carrier, struct request_submit *submit,
	struct message **message_out, struct err *err)
{
	const struct message_limits limits = {.memory_bytes = 128 * 1024,
		.header_bytes = 1024,
		.header_fields = 1,
		.temp_folder = carrier->settings.temp_folder};

	return message_open_file_take(
		&submit->file, submit->size, &limits, message_out, err);
}

/* ---- doing it ---- */

static void
set_all(struct request_submitted *answer, const struct err *err)
{
	size_t i;

	for (i = 0; i < answer->count; i++)
		answer->results[i] = *err;
}

/* A session that is over before we have ended it could not be opened, or its server
 * has gone. */
static enum request_way
way_of(const struct request_submitted *answer, const struct smtp *smtp)
{
	if (smtp_is_open(smtp) || answer->results[0].kind != ERR_TEMPORARY)
		return REQUEST_WAY_GOOD;
	return smtp->had_data ? REQUEST_WAY_LOST : REQUEST_WAY_CLOSED;
}

static bool
has_hung(const struct err *err)
{
	return strcmp(err->status, "4.4.2") == 0;
}

static void
hand_over(struct carrier *carrier, const struct outbound_mail *mail,
	uint64_t timeout_ms, struct request_submitted *answer)
{
	const char *host = carrier->settings.relay.host;
	struct outbound_settings settings = carrier->settings;
	struct err err;

	err_clear(&err);
	if (host != NULL && host[0] != '\0') {
		smtp_send(&carrier->smtp, mail,
			clock_monotonic_ms() + timeout_ms, answer->results);
		answer->way = way_of(answer, &carrier->smtp);
		return;
	}
	settings.timeout_ms = timeout_ms;
	answer->way = REQUEST_WAY_GOOD;
	if (sendmail_submit(&settings, mail, &err) == 0)
		return;
	set_all(answer, &err);
	if (has_hung(&err))
		answer->way = REQUEST_WAY_LOST;
}

static int
serve(struct carrier *carrier, struct arena *arena,
	struct request_submit *submit, struct request_submitted *answer,
	struct err *err)
{
	struct outbound_mail mail;
	struct message *message;
	uint64_t timeout_ms = carrier->settings.timeout_ms;

	if (submit->timeout_ms < timeout_ms)
		timeout_ms = submit->timeout_ms;
	if (read_envelope(arena, submit, &mail, err) < 0 ||
		rewrite_sender(carrier, arena, &mail, err) < 0 ||
		open_message(carrier, submit, &message, err) < 0)
		return -1;
	mail.content = content_of(arena, message);
	hand_over(carrier, &mail, timeout_ms, answer);
	message_close(&message);
	return 0;
}

void
carrier_serve(struct carrier *carrier, struct arena *arena,
	struct request_submit *submit, struct request_submitted *answer_out)
{
	struct err err;

	err_clear(&err);
	answer_out->request = submit->request;
	answer_out->count = submit->count;
	answer_out->results = ARENA_ARRAY(arena, struct err, submit->count);
	if (serve(carrier, arena, submit, answer_out, &err) < 0)
		set_all(answer_out, &err);
	fd_close(&submit->file);
}
