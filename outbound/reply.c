/* SPDX-License-Identifier: MIT */
#include "outbound/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

#include "base/banned.h"

enum { CODE_DIGITS = 3 };

void
reply_begin(struct reply *reply)
{
	memset(reply, 0, sizeof(*reply));
}

/* 0: these are no three digits that a server may say. */
static unsigned
read_code(struct str line)
{
	unsigned code = 0, i;

	if (line.len < CODE_DIGITS)
		return 0;
	for (i = 0; i < CODE_DIGITS; i++) {
		if (!ascii_is_digit(line.data[i]))
			return 0;
		code = code * 10 + (unsigned)(line.data[i] - '0');
	}
	return code >= 200 && code <= 599 ? code : 0;
}

/* "5.1.1" in front of the text; 0: none. */
static size_t
status_length(struct str text)
{
	size_t at = 0, part, digits;

	for (part = 0; part < 3; part++) {
		for (digits = 0; at < text.len && ascii_is_digit(text.data[at]);
			at++)
			digits++;
		if (digits == 0 || digits > 3)
			return 0;
		if (part == 2)
			break;
		if (at >= text.len || text.data[at++] != '.')
			return 0;
	}
	return at == text.len || text.data[at] == ' ' ? at : 0;
}

/* RFC 2034 4: its class is that of the code. */
static struct str
take_status(struct reply *reply, struct str text)
{
	size_t length = status_length(text);

	if (length == 0 || length >= sizeof(reply->status) ||
		text.data[0] != (char)('0' + reply->code / 100) ||
		text.data[1] != '.')
		return text;
	memcpy(reply->status, text.data, length);
	reply->status[length] = '\0';
	return str_trim(str_skip(text, length));
}

static void
add_char(struct reply *reply, struct str character)
{
	if (character.len > REPLY_TEXT_MAX - reply->text_len)
		return;
	memcpy(reply->text + reply->text_len, character.data, character.len);
	reply->text_len += character.len;
	reply->text[reply->text_len] = '\0';
}

/* Control characters could be lines of a log, or of a reply of ours. */
static void
add_text(struct reply *reply, struct str text)
{
	if (reply->text_len > 0 && text.len > 0)
		add_char(reply, STR(" "));
	while (text.len > 0) {
		uint32_t code;
		size_t length = 0;

		if (!utf8_next(text, &length, &code)) {
			length = 1;
			code = 0;
		}
		if (code < ' ' || (code >= 0x7f && code < 0xa0))
			add_char(reply, STR("?"));
		else
			add_char(reply, str_slice(text, 0, length));
		text = str_skip(text, length);
	}
}

enum reply_step
reply_line(struct reply *reply, struct str line)
{
	unsigned code = read_code(line);
	char mark = line.len > CODE_DIGITS ? line.data[CODE_DIGITS] : ' ';

	if (code == 0 || (mark != ' ' && mark != '-') ||
		(reply->lines > 0 && code != reply->code) ||
		reply->lines == REPLY_LINES_MAX)
		return REPLY_BROKEN;
	reply->lines++;
	reply->code = code;
	add_text(reply,
		take_status(reply, str_trim(str_skip(line, CODE_DIGITS + 1))));
	return mark == '-' ? REPLY_MORE : REPLY_DONE;
}

int
reply_err(const struct reply *reply, const char *peer, const char *what,
	struct err *err)
{
	bool is_refused = reply->code >= 500;
	char digit = is_refused ? '5' : '4';
	const char *general = is_refused ? "5.0.0" : "4.0.0";
	const char *status =
		reply->status[0] == digit ? reply->status : general;

	if (!is_refused)
		return err_temp(err, status, "%s answered %s: %u %s%s%s", peer,
			what, reply->code, reply->status,
			reply->status[0] != '\0' ? " " : "", reply->text);
	err_set(err, ERR_REFUSED, status, "%u %s", reply->code, reply->text);
	return err_detail(err, "%s refused %s: %u %s%s%s", peer, what,
		reply->code, reply->status, reply->status[0] != '\0' ? " " : "",
		reply->text);
}

/* ---- EHLO ---- */

static void
offer_auth(struct reply_offers *offers, struct str rest)
{
	struct str word;

	while (str_next_word(&rest, &word)) {
		offers->auth_plain |= str_is_nocase(word, "PLAIN");
		offers->auth_login |= str_is_nocase(word, "LOGIN");
	}
}

void
reply_offer(struct reply_offers *offers, struct str line)
{
	struct str rest = str_skip(line, CODE_DIGITS + 1), word;

	if (!str_next_word(&rest, &word))
		return;
	if (str_is_nocase(word, "PIPELINING"))
		offers->pipelining = true;
	else if (str_is_nocase(word, "8BITMIME"))
		offers->eightbitmime = true;
	else if (str_is_nocase(word, "SMTPUTF8"))
		offers->smtputf8 = true;
	else if (str_is_nocase(word, "DSN"))
		offers->dsn = true;
	else if (str_is_nocase(word, "DELIVERBY"))
		offers->deliverby = true;
	else if (str_is_nocase(word, "STARTTLS"))
		offers->starttls = true;
	else if (str_is_nocase(word, "AUTH"))
		offer_auth(offers, rest);
	else if (str_is_nocase(word, "SIZE")) {
		offers->has_size = true;
		if (!str_next_word(&rest, &word) ||
			number_parse(word, &offers->size) < 0)
			offers->size = 0;
	}
}
