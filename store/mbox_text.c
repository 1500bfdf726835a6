/* SPDX-License-Identifier: MIT */
#include "store/mbox_text.h"

#include <string.h>

#include "base/attributes.h"
#include "mail/message.h"
#include "store/store.h"

#include "base/banned.h"

#define FROM STR("From ")

enum { INSIDE_LINE = -1 };

/* ---- the line in front ---- */

static struct str
value_of_return_path(const struct content *content)
{
	const struct str name = STR("Return-Path:");
	const struct header_field *field;

	if (content->count > 0 && content->pieces[0].is_text &&
		str_starts_nocase(content->pieces[0].text, name)) {
		struct str text = str_skip(content->pieces[0].text, name.len);

		return str_slice(text, 0, str_find_char(text, '\n'));
	}
	field = message_field_next(content->message, STR("Return-Path"), NULL);
	return field == NULL ? STR_EMPTY : field->value;
}

static struct str
sender_of(const struct content *content)
{
	struct str sender = str_trim(value_of_return_path(content));

	if (str_starts(sender, STR("<")) && str_ends(sender, STR(">")))
		sender = str_slice(sender, 1, sender.len - 1);
	sender = str_slice(str_trim(sender), 0, MBOX_SENDER_MAX);
	return sender.len > 0 ? sender : STR("MAILER-DAEMON");
}

/* A blank would end the sender for who reads the line. */
static void
add_sender(struct buf *line, struct str sender)
{
	size_t i;

	for (i = 0; i < sender.len; i++) {
		unsigned char c = (unsigned char)sender.data[i];

		buf_add_char(line, c <= ' ' || c == 127 ? '-' : (char)c);
	}
}

void
mbox_from_line(struct buf *line, const struct content *content, struct tm time)
{
	static const char *const days[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	buf_add_text(line, "From ");
	add_sender(line, sender_of(content));
	buf_add_format(line, "  %s %s %02d %02d:%02d:%02d %04d\n",
		days[(unsigned)time.tm_wday % 7],
		months[(unsigned)time.tm_mon % 12], time.tm_mday, time.tm_hour,
		time.tm_min, time.tm_sec, time.tm_year + 1900);
}

/* ---- what is given out ---- */

static void
add(struct mbox_text *text, struct str bytes)
{
	if (bytes.len == 0)
		return;
	buf_add(&text->out, bytes);
	text->last = bytes.data[bytes.len - 1];
}

static void
add_flags(struct mbox_text *text)
{
	static const struct {
		unsigned flag;
		char letter;
	} letters[] = {{STORE_ANSWERED, 'A'}, {STORE_FLAGGED, 'F'},
		{STORE_DRAFT, 'T'}, {STORE_DELETED, 'D'}};
	char found[ARRAY_LENGTH(letters)];
	size_t count = 0, i;

	if (text->store_flags & STORE_SEEN)
		add(text, STR("Status: RO\n"));
	for (i = 0; i < ARRAY_LENGTH(letters); i++)
		if (text->store_flags & letters[i].flag)
			found[count++] = letters[i].letter;
	if (count > 0) {
		add(text, STR("X-Status: "));
		add(text, str_of(found, count));
		add(text, STR("\n"));
	}
	add(text, text->keyword_lines);
}

/* ---- the header ---- */

static bool
is_own_state(struct str name)
{
	static const char *const names[] = {"Content-Length", "Status",
		"X-Status", "X-Keywords", "X-UID", "X-IMAP", "X-IMAPbase",
		"X-Delivery-ID"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (str_is_nocase(name, names[i]))
			return true;
	return false;
}

static struct str
without_quotes(struct str line)
{
	while (line.len > 0 && line.data[0] == '>')
		line = str_skip(line, 1);
	return line;
}

/* Decides about a line from its first bytes: up to the colon, the whole line when
 * it has none, or as many as are held.  True when the line is kept; what is held
 * of it has been given out then. */
static bool
begin_header_line(struct mbox_text *text, bool has_colon)
{
	struct str held = str_of(text->name, text->name_len);
	struct str name = str_trim(held);
	bool is_full = held.len == sizeof(text->name);

	/* "Status   :" is that field (RFC 5322 4.5), with any blanks. */
	if ((has_colon || is_full) && is_own_state(name))
		return false;
	if (has_colon && str_is(name, "From")) {
		held = name;
	} else if (str_starts(without_quotes(held), FROM)) {
		if (text->is_on_top)
			return false;
		add(text, STR(">"));
	}
	if (text->trace_lines == 0)
		text->is_on_top = false;
	add(text, held);
	return true;
}

static void
end_name(struct mbox_text *text, bool has_colon)
{
	text->field_is_dropped = !begin_header_line(text, has_colon);
	text->line =
		text->field_is_dropped ? MBOX_LINE_DROPPED : MBOX_LINE_KEPT;
	text->name_len = 0;
}

static void
end_header(struct mbox_text *text)
{
	add_flags(text);
	add(text, STR("\n"));
	text->part = MBOX_BODY;
	text->matched = 0;
}

/* One byte at the start of a line; false when it belongs to the line's rest. */
static bool
take_name_byte(struct mbox_text *text, char c)
{
	if (text->name_len == 0 && c == '\n') {
		end_header(text);
		return true;
	}
	if (text->name_len == 0 && (c == ' ' || c == '\t')) {
		text->line = text->field_is_dropped ? MBOX_LINE_DROPPED
		                                    : MBOX_LINE_KEPT;
		return false;
	}
	if (c == ':' || c == '\n' || text->name_len == sizeof(text->name)) {
		end_name(text, c == ':');
		return false;
	}
	text->name[text->name_len++] = c;
	return true;
}

/* To the end of the line or of the bytes. */
static struct str
take_line_rest(struct mbox_text *text, struct str in)
{
	size_t end = str_find_char(in, '\n');
	size_t taken = end < in.len ? end + 1 : in.len;

	if (text->line == MBOX_LINE_KEPT)
		add(text, str_slice(in, 0, taken));
	if (end < in.len) {
		text->line = MBOX_LINE_START;
		if (text->trace_lines > 0)
			text->trace_lines--;
	}
	return str_skip(in, taken);
}

/* Returns what is behind the header. */
static struct str
take_header(struct mbox_text *text, struct str in)
{
	while (in.len > 0 && text->part == MBOX_HEADER) {
		if (text->line != MBOX_LINE_START)
			in = take_line_rest(text, in);
		else if (take_name_byte(text, in.data[0]))
			in = str_skip(in, 1);
	}
	return in;
}

/* ---- the body ---- */

/* Where the next line starts; in.len when that is not among these bytes. */
static size_t
skip_line(struct mbox_text *text, struct str in, size_t at)
{
	const char *lf = memchr(in.data + at, '\n', in.len - at);

	if (lf == NULL)
		return in.len;
	text->matched = 0;
	return (size_t)(lf - in.data) + 1;
}

/* The additional ">" may stand behind those that are there: it is the same line,
 * and they need not be held back. */
static void
take_body(struct mbox_text *text, struct str in)
{
	size_t at = 0, given = 0;

	while (at < in.len) {
		if (text->matched == INSIDE_LINE) {
			at = skip_line(text, in, at);
		} else if (in.data[at] == '>' && text->matched == 0) {
			at++;
		} else if (in.data[at] == FROM.data[text->matched]) {
			if (text->matched++ == 0)
				add(text, str_slice(in, given, at));
			given = ++at;
			if ((size_t)text->matched == FROM.len) {
				add(text, STR(">From "));
				text->matched = INSIDE_LINE;
			}
		} else {
			add(text, str_slice(FROM, 0, (size_t)text->matched));
			text->matched = INSIDE_LINE;
		}
	}
	add(text, str_slice(in, given, at));
}

/* ---- all of it ---- */

static size_t
count_trace_lines(const struct content *content)
{
	size_t lines = 0, i, at;

	for (i = 0; i < content->count && content->pieces[i].is_text; i++)
		for (at = 0; at < content->pieces[i].text.len; at++)
			lines += content->pieces[i].text.data[at] == '\n';
	return lines;
}

void
mbox_text_init(struct mbox_text *text, const struct content *content,
	unsigned store_flags, const char *from_line, char *buffer, size_t size)
{
	*text = (struct mbox_text){
		.from_line = from_line,
		.store_flags = store_flags,
		.is_on_top = true,
		.trace_lines = count_trace_lines(content),
		.last = '\n',
	};
	content_reader_init(&text->reader, content, LINE_ENDS_LF, buffer, size);
	buf_init(&text->out, BUF_UNLIMITED);
}

void
mbox_text_set_keywords(struct mbox_text *text, struct str lines)
{
	text->keyword_lines = lines;
}

void
mbox_text_clear(struct mbox_text *text)
{
	buf_clear(&text->out);
}

static void
count(struct mbox_text *text)
{
	const char *at = text->out.data, *end = at + text->out.len;

	text->size += text->out.len;
	while (at < end &&
		(at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		text->lines++;
		at++;
	}
}

/* What was held back, and what a message must have that ended without it. */
static void
complete(struct mbox_text *text)
{
	if (text->part == MBOX_HEADER) {
		if (text->name_len > 0)
			end_name(text, false);
		if (text->last != '\n')
			add(text, STR("\n"));
		add_flags(text);
		return;
	}
	if (text->matched > 0)
		add(text, str_slice(FROM, 0, (size_t)text->matched));
	if (text->last != '\n')
		add(text, STR("\n"));
}

static enum lookup
read_part(struct mbox_text *text, struct err *err)
{
	struct str chunk;
	enum lookup found;

	switch (text->part) {
	case MBOX_ENVELOPE:
		buf_add_text(&text->out, text->from_line);
		text->part = MBOX_HEADER;
		return LOOKUP_FOUND;
	case MBOX_HEADER:
	case MBOX_BODY:
		found = content_read(&text->reader, &chunk, err);
		if (found == LOOKUP_ERROR)
			return found;
		if (found == LOOKUP_FOUND) {
			chunk = take_header(text, chunk);
			take_body(text, chunk);
		} else {
			complete(text);
			text->part = MBOX_END;
		}
		if (text->out.len > 0)
			count(text);
		if (text->part == MBOX_END)
			buf_add_char(&text->out, '\n');
		return LOOKUP_FOUND;
	case MBOX_END:
		break;
	}
	return LOOKUP_NONE;
}

enum lookup
mbox_text_read(struct mbox_text *text, struct str *chunk_out, struct err *err)
{
	enum lookup found;

	buf_reset(&text->out);
	do
		found = read_part(text, err);
	while (found == LOOKUP_FOUND && text->out.len == 0);
	*chunk_out = buf_view(&text->out);
	return found;
}
