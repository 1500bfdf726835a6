/* SPDX-License-Identifier: MIT */
#include "mail/reports.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/letter.h"

#include "base/banned.h"

enum {
	/* Of the original's header, where only that is sent. */
	HEADER_BYTES = 128 * 1024,
	LINE_MOST = 998 /* RFC 5322 2.1.1: MUST */
};

/* ---- fields ---- */

static void
add_char(struct buf *buf, uint32_t code)
{
	if (code < ' ' || code == 127)
		buf_add_char(buf, ' ');
	else if (code < 128)
		buf_add_char(buf, (char)code);
	else
		buf_add_format(buf, "\\x{%X}", (unsigned)code);
}

/* ASCII on one line.  RFC 6533 3: utf-8-addr-xtext has \x{...} for what is not
 * ASCII, and for a backslash. */
static void
add_value(struct buf *buf, struct str value, bool is_xtext)
{
	size_t at = 0;
	uint32_t code;

	while (at < value.len) {
		if (!utf8_next(value, &at, &code)) {
			buf_add_char(buf, '?');
			at++;
		} else if (is_xtext && code == '\\') {
			buf_add_text(buf, "\\x{5C}");
		} else {
			add_char(buf, code);
		}
	}
}

/* One that would be too long a line is left out: a program could do nothing with
 * a part of it. */
static void
add_field(struct buf *buf, const char *name, struct str value)
{
	struct buf line;

	if (value.len == 0)
		return;
	buf_init(&line, LINE_MOST);
	buf_add_format(&line, "%s: ", name);
	add_value(&line, str_trim(value), false);
	if (!line.overflowed) {
		buf_add(buf, buf_view(&line));
		buf_add_char(buf, '\n');
	}
	buf_clear(&line);
}

static void
add_recipient(struct buf *buf, const char *name, struct str address)
{
	bool is_ascii = utf8_is_ascii(address);

	if (address.len == 0)
		return;
	buf_add_format(buf, "%s: %s; ", name, is_ascii ? "rfc822" : "utf-8");
	add_value(buf, address, !is_ascii);
	buf_add_char(buf, '\n');
}

/* RFC 8098 3.2.3: what the message itself says comes first.  Only the final
 * recipient is always known. */
static void
add_recipients(struct buf *buf, const struct report_about *about)
{
	const struct header_field *field = message_field_next(
		about->original, STR("Original-Recipient"), NULL);

	if (field != NULL &&
		str_find_char(field->value, ';') < field->value.len)
		add_field(buf, "Original-Recipient", field->value);
	else if (about->orcpt.len > 0)
		add_field(buf, "Original-Recipient", about->orcpt);
	else
		add_recipient(
			buf, "Original-Recipient", about->original_recipient);
	add_recipient(buf, "Final-Recipient", about->final_recipient);
}

static struct str
message_id(const struct report_about *about)
{
	const struct header_field *field =
		message_field_next(about->original, STR("Message-ID"), NULL);

	return field != NULL ? str_trim(field->value) : STR_EMPTY;
}

/* ---- parts ---- */

static struct str
finish(struct arena *arena, struct buf *buf)
{
	struct str text = arena_copy(arena, buf_view(buf));

	buf_clear(buf);
	return text;
}

static const struct content *
typed_part(struct arena *arena, const struct report_about *about,
	const char *type, struct str text)
{
	return letter_part(arena, about->original,
		str_from(arena_format(arena, "Content-Type: %s\n", type)), text,
		NULL);
}

/* A byte that is not ASCII needs to be announced (RFC 2045 6.2). */
static bool
is_eight_bit(const struct message *message, uint64_t from, uint64_t to)
{
	struct str view;

	return !message_view(message, from, to, &view) || !utf8_is_ascii(view);
}

static const struct content *
piece_of(struct arena *arena, const struct message *message, uint64_t to)
{
	struct content_piece *piece = ARENA_NEW(arena, struct content_piece);
	struct content *content = ARENA_NEW(arena, struct content);

	piece->from = message_start(message);
	piece->to = to;
	*content = (struct content){message, piece, 1};
	return content;
}

/* So much of the header as can be looked at, in whole fields. */
static uint64_t
header_end(const struct message *message)
{
	uint64_t end = message_header_end(message);
	uint64_t most = message_start(message) + HEADER_BYTES;
	size_t count, i;
	const struct header_field *fields = message_fields(message, &count);

	if (end <= most)
		return end;
	for (i = 0; i < count && fields[i].end <= most; i++)
		end = fields[i].end;
	return i > 0 ? end : message_start(message);
}

/* RFC 6522 4: a header that is not short lines of ASCII is encoded. */
static const struct content *
header_part(struct arena *arena, const struct message *message)
{
	struct str header;

	/* Always in memory. */
	if (!message_view(message, message_start(message), header_end(message),
		    &header))
		header = STR_EMPTY;
	return letter_typed_text(arena, message,
		STR("Content-Type: text/rfc822-headers\n"
		    "Content-Disposition: attachment\n"),
		header);
}

/* RFC 2046 5.2.1: as it came, for it may not be encoded. */
static const struct content *
whole_part(struct arena *arena, const struct message *message,
	bool *is_eight_bit_out)
{
	uint64_t end = message_end(message);

	*is_eight_bit_out = is_eight_bit(message, message_start(message), end);
	return letter_part(arena, message,
		str_from(arena_format(arena,
			"Content-Type: message/rfc822\n"
			"Content-Disposition: inline\n%s",
			*is_eight_bit_out ? "Content-Transfer-Encoding: 8bit\n"
					  : "")),
		STR_EMPTY, piece_of(arena, message, end));
}

static const struct content *
original_part(struct arena *arena, const struct message *message,
	bool headers_only, bool *is_eight_bit_out)
{
	*is_eight_bit_out = false;
	return headers_only ? header_part(arena, message)
	                    : whole_part(arena, message, is_eight_bit_out);
}

static const struct content *
report(struct arena *arena, const struct report_about *about,
	const char *report_type, const struct content *machine_part,
	bool headers_only)
{
	const struct content *parts[3];
	bool is_eight_bit;

	parts[0] = letter_text(arena, about->original, about->text);
	parts[1] = machine_part;
	parts[2] = original_part(
		arena, about->original, headers_only, &is_eight_bit);
	return letter_multipart(arena, about->original,
		str_from(arena_format(arena, "multipart/report; report-type=%s",
			report_type)),
		about->id, is_eight_bit, parts, ARRAY_LENGTH(parts));
}

/* ---- all of them ---- */

const struct content *
report_disposition(struct arena *arena, const struct report_about *about)
{
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	buf_add_text(&buf, "Reporting-UA: ");
	add_value(&buf, about->host, false);
	buf_add_text(&buf, "; Doorstep\n");
	add_recipients(&buf, about);
	add_field(&buf, "Original-Message-ID", message_id(about));
	buf_add_text(&buf, "Disposition: automatic-action/"
			   "MDN-sent-automatically; deleted\n");
	return report(arena, about, "disposition-notification",
		typed_part(arena, about, "message/disposition-notification",
			finish(arena, &buf)),
		true);
}

static void
begin_status(struct buf *buf, const struct report_about *about)
{
	buf_init(buf, BUF_UNLIMITED);
	add_field(buf, "Original-Envelope-Id", about->envid);
	buf_add_text(buf, "Reporting-MTA: dns; ");
	add_value(buf, about->host, false);
	buf_add_text(buf, "\n\n");
}

static const struct content *
end_status(
	struct arena *arena, const struct report_about *about, struct buf *buf)
{
	return report(arena, about, "delivery-status",
		typed_part(arena, about, "message/delivery-status",
			finish(arena, buf)),
		true);
}

const struct content *
report_failed_delivery(struct arena *arena, const struct report_about *about,
	struct str status)
{
	struct buf buf;

	begin_status(&buf, about);
	add_recipients(&buf, about);
	buf_add_text(&buf, "Action: failed\n");
	add_field(&buf, "Status", status);
	return end_status(arena, about, &buf);
}

const struct content *
report_delivery(struct arena *arena, const struct report_about *about)
{
	struct buf buf;

	begin_status(&buf, about);
	add_field(&buf, "Original-Recipient", about->orcpt);
	add_recipient(&buf, "Final-Recipient", about->final_recipient);
	buf_add_text(&buf, "Action: delivered\nStatus: 2.0.0\n");
	return end_status(arena, about, &buf);
}

const struct content *
report_abuse(struct arena *arena, const struct report_about *about,
	const struct report_feedback *feedback, bool headers_only)
{
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	add_field(&buf, "Feedback-Type", feedback->type);
	add_field(&buf, "User-Agent", feedback->product);
	buf_add_text(&buf, "Version: 1\n");
	add_field(&buf, "Original-Envelope-Id", about->envid);
	buf_add_text(&buf, "Original-Mail-From: <");
	add_value(&buf, feedback->sender, false);
	buf_add_text(&buf, ">\n");
	add_field(&buf, "Arrival-Date", feedback->arrival);
	buf_add_text(&buf, "Reporting-MTA: dns; ");
	add_value(&buf, about->host, false);
	buf_add_char(&buf, '\n');
	add_field(&buf, "Source-IP", feedback->source_ip);
	if (about->final_recipient.len > 0) {
		buf_add_text(&buf, "Original-Rcpt-To: <");
		add_value(&buf, about->final_recipient, false);
		buf_add_text(&buf, ">\n");
	}
	return report(arena, about, "feedback-report",
		typed_part(arena, about, "message/feedback-report",
			finish(arena, &buf)),
		headers_only);
}
