/* SPDX-License-Identifier: MIT */
#include "mail/automatic.h"

#include <string.h>

#include "base/attributes.h"

#include "base/banned.h"

/* The first word of a field: without comments in front of it, without what
 * follows. */
static struct str
first_word(struct str value)
{
	size_t end;

	value = str_trim(value);
	while (str_starts(value, STR("(")))
		value = str_trim(
			str_skip(value, str_find_char(value, ')') + 1));
	end = str_find_any(value, " \t\r\n;(");
	return str_slice(value, 0, end);
}

bool
automatic_is_submitted(const struct message *message)
{
	const struct header_field *field = NULL;

	while ((field = message_field_next(
			message, STR("Auto-Submitted"), field)) != NULL)
		if (!str_is_nocase(first_word(field->value), "no"))
			return true;
	return false;
}

/* RFC 2369, RFC 2919, and what list programs of before them add. */
static bool
is_of_list(const struct message *message)
{
	size_t count, i;
	const struct header_field *fields = message_fields(message, &count);

	for (i = 0; i < count; i++)
		if (str_starts_nocase(fields[i].name, STR("List-")) ||
			str_is_nocase(fields[i].name, "Mailing-List") ||
			str_is_nocase(fields[i].name, "X-Mailing-List"))
			return true;
	return false;
}

static bool
is_bulk(const struct message *message)
{
	static const char *const words[] = {"bulk", "list", "junk"};
	const struct header_field *field = NULL;
	size_t i;

	while ((field = message_field_next(
			message, STR("Precedence"), field)) != NULL)
		for (i = 0; i < ARRAY_LENGTH(words); i++)
			if (str_is_nocase(first_word(field->value), words[i]))
				return true;
	return false;
}

const char *
automatic_message(const struct message *message)
{
	if (automatic_is_submitted(message))
		return "it is auto-submitted";
	if (is_of_list(message))
		return "it came through a mailing list";
	if (is_bulk(message))
		return "its precedence is bulk";
	return NULL;
}

/* ---- fields ---- */

static bool
is_there(struct str value UNUSED)
{
	return true;
}

static bool
is_not_no(struct str value)
{
	return !str_is_nocase(first_word(value), "no");
}

static bool
says_bulk(struct str value)
{
	struct str word = first_word(value);

	return str_is_nocase(word, "bulk") || str_is_nocase(word, "list") ||
	       str_is_nocase(word, "junk") || str_is_nocase(word, "auto_reply");
}

/* Exchange's: a list of what is not wanted. */
static bool
suppresses(struct str value)
{
	struct str word;

	while (str_next_field(&value, ',', &word)) {
		word = str_trim(word);
		if (str_is_nocase(word, "all") || str_is_nocase(word, "oof") ||
			str_is_nocase(word, "autoreply"))
			return true;
	}
	return false;
}

/* Whatever its envelope says (RFC 6522). */
static bool
is_report(struct str value)
{
	return str_is_nocase(first_word(value), "multipart/report");
}

static const struct rule {
	const char *name;
	bool (*applies)(struct str value);
} rules[] = {
	{"Mailing-List", is_there},
	{"X-Mailing-List", is_there},
	{"Auto-Submitted", is_not_no},
	{"Precedence", says_bulk},
	{"X-Auto-Response-Suppress", suppresses},
	{"X-Autoreply", is_not_no},
	{"X-Autorespond", is_there},
	{"X-Autoresponder", is_there},
	{"X-Auto-Reply-From", is_there},
	{"X-Mail-Autoreply", is_there},
	{"Content-Type", is_report},
};

static bool
speaks_against(const struct header_field *field)
{
	size_t i;

	if (str_starts_nocase(field->name, STR("List-")))
		return true;
	for (i = 0; i < ARRAY_LENGTH(rules); i++)
		if (str_is_nocase(field->name, rules[i].name))
			return rules[i].applies(field->value);
	return false;
}

const struct header_field *
automatic_field(const struct message *message)
{
	size_t count, i;
	const struct header_field *fields = message_fields(message, &count);

	for (i = 0; i < count; i++)
		if (speaks_against(&fields[i]))
			return &fields[i];
	return NULL;
}

/* ---- senders ---- */

/* Wholes, and with what stands behind a "+", "-" or "=": VERP. */
static const char *const names[] = {"mailer-daemon", "mailer", "mdaemon",
	"double-bounce", "uucp", "listserv", "listproc", "listmanager",
	"majordomo", "mailman", "noreply", "no-reply", "no_reply", "donotreply",
	"do-not-reply", "do_not_reply", "bounce", "bounces", "autoreply",
	"auto-reply"};
static const char *const ends[] = {
	"-owner", "-request", "-bounces", "-bounce", "-noreply", "-no-reply"};
/* With something in front and behind: list-bounces+amy=example.org */
static const char *const middles[] = {
	"-bounces+", "-bounces-", "-bounce-", "-return-"};

static bool
is_name(struct str local_part, struct str name)
{
	return str_starts_nocase(local_part, name) &&
	       (local_part.len == name.len ||
		       memchr("+-=", local_part.data[name.len], 3) != NULL);
}

static bool
ends_in(struct str text, struct str end)
{
	return text.len > end.len &&
	       str_equal_nocase(str_skip(text, text.len - end.len), end);
}

static bool
is_system_name(struct str local_part)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (is_name(local_part, str_from(names[i])))
			return true;
	for (i = 0; i < ARRAY_LENGTH(ends); i++)
		if (ends_in(local_part, str_from(ends[i])))
			return true;
	for (i = 0; i < ARRAY_LENGTH(middles); i++)
		if (str_find_nocase(local_part, str_from(middles[i])) <
			local_part.len)
			return true;
	return str_starts_nocase(local_part, STR("owner-"));
}

const char *
automatic_sender(const struct address *sender)
{
	if (sender->is_null || sender->text.len == 0)
		return "it has no sender";
	if (is_system_name(sender->local_part))
		return "its sender is a mailing list or a mail system";
	return NULL;
}
