/* SPDX-License-Identifier: MIT */
#include "lmtp/reply.h"

#include <stdint.h>
#include <stdio.h>

#include "base/number.h"
#include "base/utf8.h"

#include "base/banned.h"

/* ---- text that is safe on a line ---- */

static bool
is_control(uint32_t code)
{
	return code < ' ' || (code >= 127 && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029;
}

/* One character for each of `text`; "?" for what cannot be shown. */
static void
add_clean(struct buf *out, struct str text, bool is_utf8)
{
	size_t at = 0;
	uint32_t code;

	while (at < text.len) {
		size_t here = at;

		if (!utf8_next(text, &at, &code)) {
			buf_add_char(out, '?');
			at++;
		} else if (code == '\t') {
			buf_add_char(out, ' ');
		} else if (is_control(code) || (code >= 0x80 && !is_utf8)) {
			buf_add_char(out, '?');
		} else {
			buf_add(out, str_slice(text, here, at));
		}
	}
}

/* The length of the first part of `text` that fits `room` bytes: all of it, or up
 * to the last blank, or as much as cuts no character. */
static size_t
fold_length(struct str text, size_t room)
{
	struct str cut = utf8_cut(text, room);
	size_t blank;

	if (cut.len == text.len)
		return text.len;
	blank = str_find_last_char(cut, ' ');
	if (blank > 0 && blank < cut.len)
		return blank;
	return cut.len;
}

/* ---- lines ---- */

/* Lines are known to be the last one only when the next one comes. */
struct writer {
	struct buf *out;
	unsigned code;
	struct str status; /* empty: none */
	struct str line;   /* waits; points into the text */
	bool has_line;
	size_t count;
};

static void
put_line(struct writer *writer, bool is_last)
{
	buf_add_format(
		writer->out, "%03u%c", writer->code, is_last ? ' ' : '-');
	buf_add(writer->out, writer->status);
	if (writer->status.len > 0)
		buf_add_char(writer->out, ' ');
	buf_add(writer->out, writer->line);
	buf_add_text(writer->out, "\r\n");
}

static void
add_line(struct writer *writer, struct str line)
{
	if (writer->count == REPLY_LINES_MAX)
		return;
	if (writer->has_line)
		put_line(writer, false);
	writer->line = line;
	writer->has_line = true;
	writer->count++;
}

/* `text` is clean but for line ends. */
static void
put_text(struct writer *writer, struct str text)
{
	size_t room = REPLY_LINE_MAX - (sizeof("550 \r\n") - 1) -
	              (writer->status.len > 0 ? writer->status.len + 1 : 0);
	struct str line;

	while (str_next_field(&text, '\n', &line)) {
		line = str_trim(line);
		while (line.len > 0) {
			size_t len = fold_length(line, room);

			add_line(writer, str_slice(line, 0, len));
			line = str_trim(str_skip(line, len));
		}
	}
	put_line(writer, true);
}

/* Each line of `text` made clean on its own. */
static void
add_clean_lines(struct buf *out, struct str text, bool is_utf8)
{
	struct str line;
	bool is_first = true;

	while (str_next_field(&text, '\n', &line)) {
		if (!is_first)
			buf_add_char(out, '\n');
		is_first = false;
		if (str_ends(line, STR("\r")))
			line.len--;
		add_clean(out, line, is_utf8);
	}
}

static void
add_address(struct buf *out, const struct reply_to *to)
{
	struct str address = utf8_cut(to->address, REPLY_ADDRESS_MAX);

	if (to->address.len == 0)
		return;
	buf_add_char(out, '<');
	add_clean(out, address, to->is_utf8);
	buf_add_text(out, address.len < to->address.len ? "...> " : "> ");
}

void
reply_add_to(struct buf *out, const struct reply_to *to, unsigned code,
	const char *status, struct str text)
{
	struct writer writer = {
		.out = out, .code = code, .status = str_from(status)};
	struct buf clean;

	buf_init(&clean, BUF_UNLIMITED);
	add_address(&clean, to);
	add_clean_lines(&clean, text, to->is_utf8);
	put_text(&writer, buf_view(&clean));
	buf_clear(&clean);
}

/* "5.1.1" */
static bool
is_status(struct str word)
{
	struct str part;
	uint64_t number;
	unsigned count = 0;

	if (word.len < 5 || word.len > 9 || str_ends(word, STR(".")))
		return false;
	while (str_next_field(&word, '.', &part)) {
		if (number_parse(part, &number) < 0)
			return false;
		count++;
	}
	return count == 3;
}

void
reply_add(struct buf *out, const char *reply)
{
	struct str rest = str_from(reply), word, after;
	struct reply_to nobody = {STR_EMPTY, .is_utf8 = false};
	char status[12] = "";
	uint64_t code = 0;

	if (!str_next_word(&rest, &word) || number_parse(word, &code) < 0)
		code = 451;
	after = rest;
	if (str_next_word(&after, &word) && is_status(word)) {
		snprintf(status, sizeof(status), "%.*s", STR_ARG(word));
		rest = after;
	}
	reply_add_to(out, &nobody, (unsigned)code, status, rest);
}

/* ---- what went wrong ---- */

struct meaning {
	unsigned code;
	const char *status;
	const char *text; /* where the err has none */
};

static struct meaning
meaning_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_REFUSED:
		return (struct meaning){550, "5.7.1", "Message refused"};
	case ERR_NO_USER:
		return (struct meaning){550, "5.1.1", "User doesn't exist"};
	case ERR_OVER_QUOTA:
		return (struct meaning){552, "5.2.2",
			"Quota exceeded (mailbox for user is full)"};
	case ERR_TOO_BIG:
		return (struct meaning){552, "5.2.3",
			"Message size exceeds administrative limit"};
	case ERR_NONE:
	case ERR_TEMPORARY:
	case ERR_USAGE:
		break;
	}
	return (struct meaning){451, "4.3.0", "Temporary internal error"};
}

/* RFC 3463 to RFC 5321 4.2.2: want of space is 452. */
static unsigned
temporary_code(struct str status)
{
	static const char *const space[] = {"4.2.2", "4.3.1", "4.5.3"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(space); i++)
		if (str_is(status, space[i]))
			return 452;
	return 451;
}

/* RFC 5429 2.1.1: of a reason that ASCII cannot say "?" may be all that is left. */
static bool
has_words(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (ascii_is_alpha(text.data[i]) ||
			ascii_is_digit(text.data[i]))
			return true;
	return false;
}

void
reply_add_err(struct buf *out, const struct reply_to *to, const struct err *err)
{
	struct meaning meaning = meaning_of(err->kind);
	const char *status = meaning.status, *text = err->text;

	/* Trouble of kinds that no delivery has is not told as it stands. */
	if (err->kind == ERR_NONE || err->kind == ERR_USAGE) {
		text = "";
	} else if (is_status(str_from(err->status)) &&
		   err->status[0] == meaning.status[0]) {
		status = err->status;
	}
	/* RFC 5321 4.2.3: what is wrong with the message itself. */
	if (meaning.code == 550 && str_starts(str_from(status), STR("5.6.")))
		meaning.code = 554;
	if (meaning.code == 451)
		meaning.code = temporary_code(str_from(status));
	/* Dovecot's text where it is not the mailbox that is in trouble. */
	if (str_trim(str_from(text)).len == 0 ||
		(!to->is_utf8 && !has_words(str_from(text))) ||
		(str_starts(str_from(status), STR("4.3.")) &&
			str_is(str_from(text), ERR_INTERNAL_TEXT)))
		text = meaning.text;
	reply_add_to(out, to, meaning.code, status, str_from(text));
}
