/* SPDX-License-Identifier: MIT */
#include "mail/automatic.h"

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

static bool
ends_in(struct str text, struct str end)
{
	return text.len >= end.len &&
	       str_equal_nocase(str_skip(text, text.len - end.len), end);
}

static bool
is_system_name(struct str local_part)
{
	static const char *const names[] = {"mailer-daemon", "listserv",
		"majordomo", "mailman", "double-bounce"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (str_is_nocase(local_part, names[i]))
			return true;
	return str_starts_nocase(local_part, STR("owner-")) ||
	       ends_in(local_part, STR("-owner")) ||
	       ends_in(local_part, STR("-request")) ||
	       ends_in(local_part, STR("-bounces"));
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
