/* SPDX-License-Identifier: MIT */
#include "deliver/trace.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "mail/date.h"

#include "base/banned.h"

static const struct str delivered_to = {"Delivered-To", 12};

/* ---- what is there ---- */

/* "<amy@example.org>" and "amy@example.org" are the same. */
static bool
names_recipient(const struct header_field *field, struct str recipient)
{
	struct str value = str_trim(field->value);

	if (str_starts(value, STR("<")) && str_ends(value, STR(">")))
		value = str_slice(value, 1, value.len - 1);
	return str_equal_nocase(value, recipient);
}

struct trace_count
trace_count_delivered_to(const struct message *message, struct str recipient)
{
	const struct header_field *received =
		message_field_next(message, STR("Received"), NULL);
	const struct header_field *field = NULL;
	struct trace_count count = {0, 0};

	while ((field = message_field_next(message, delivered_to, field)) !=
		NULL) {
		if (!names_recipient(field, recipient))
			continue;
		count.all++;
		if (received == NULL || field < received)
			count.on_top++;
	}
	return count;
}

bool
trace_has_delivered_to(const struct message *message, struct str recipient)
{
	return trace_count_delivered_to(message, recipient).on_top > 0;
}

/* ---- what is added ---- */

/* A control character can come only from a caller that did not check, or from a
 * client's HELO; neither may write a line of its own. */
static void
add_value(struct buf *out, struct str value)
{
	size_t i;

	for (i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		buf_add_char(out, c < ' ' || c == 127 ? '?' : (char)c);
	}
}

static void
add_name(struct buf *out, const char *before, struct str name,
	const char *behind)
{
	if (name.len == 0)
		return;
	buf_add_text(out, before);
	add_value(out, utf8_cut(name, TRACE_NAME_MOST));
	buf_add_text(out, behind);
}

static void
add_path(struct buf *out, const char *before, struct str path,
	const char *behind)
{
	buf_add_text(out, before);
	add_value(out, path);
	buf_add_text(out, behind);
}

static void
add_received(struct arena *arena, struct buf *out,
	const struct trace_received *received)
{
	buf_add_text(out, "Received:");
	if (received->helo.len > 0 || received->ip.len > 0) {
		add_name(out, " from ",
			received->helo.len > 0 ? received->helo
					       : STR("unknown"),
			"");
		add_name(out, " ([", received->ip, "])");
		buf_add_text(out, "\n\t");
	} else {
		buf_add_char(out, ' ');
	}
	add_name(out, "(using ", received->tls, ")\n\t");
	add_name(out, "by ", received->host, "");
	add_name(out, " with ", received->protocol, "");
	add_name(out, "\n\tid ", received->id, "");
	if (received->sender != NULL)
		add_path(out, "\n\t(envelope-from <", received->sender->text,
			">)");
	if (received->recipient.len > 0)
		add_path(out, "\n\tfor <", received->recipient, ">");
	buf_add_text(out, "; ");
	buf_add(out, date_text(arena, received->time));
	buf_add_char(out, '\n');
}

const struct content *
trace_add(struct arena *arena, const struct content *content,
	const struct trace *trace)
{
	struct buf text;

	buf_init(&text, BUF_UNLIMITED);
	if (trace->sender != NULL) {
		content = content_without_fields(
			arena, content, STR("Return-Path"));
		add_path(&text, "Return-Path: <", trace->sender->text, ">\n");
	}
	if (trace->delivered_to.len > 0)
		add_path(&text, "Delivered-To: ", trace->delivered_to, "\n");
	if (trace->received != NULL)
		add_received(arena, &text, trace->received);
	if (text.len > 0)
		content = content_prepend(arena, content, buf_view(&text));
	buf_clear(&text);
	return content;
}
