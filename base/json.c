/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <stdarg.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "base/utf8.h"

#include "base/banned.h"

void
json_init(struct json *json, FILE *file)
{
	*json = (struct json){.file = file};
}

void
json_init_buf(struct json *json, struct buf *buf)
{
	*json = (struct json){.buf = buf};
}

static void
put(struct json *json, struct str bytes)
{
	if (json->buf != NULL)
		buf_add(json->buf, bytes);
	else
		fwrite(bytes.data, 1, bytes.len, json->file);
}

static void
put_char(struct json *json, char c)
{
	put(json, str_of(&c, 1));
}

static void put_format(struct json *json, const char *format, ...)
	PRINTF_LIKE(2, 3);
static void
put_format(struct json *json, const char *format, ...)
{
	char text[64];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(json, str_from(text));
}

static bool
is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* How many there are from `at`. */
static size_t
plain_run(struct str value, size_t at)
{
	size_t end = at;

	while (end < value.len && is_plain(value.data[end]))
		end++;
	return end - at;
}

/* What is not plain. */
static void
write_other(struct json *json, struct str value, size_t *at)
{
	size_t start = *at;
	uint32_t code;

	if (!utf8_next(value, at, &code)) {
		put(json, STR("\\ufffd"));
		++*at;
	} else if (code == '"' || code == '\\') {
		put_format(json, "\\%c", (int)code);
	} else if (code < ' ' || code == 0x7f) {
		put_format(json, "\\u%04x", (unsigned)code);
	} else {
		put(json, str_slice(value, start, *at));
	}
}

/* RFC 8259 7; bytes that are no UTF-8 become U+FFFD. */
static void
write_string(struct json *json, struct str value)
{
	size_t at = 0, run;

	put_char(json, '"');
	while (at < value.len) {
		run = plain_run(value, at);
		put(json, str_slice(value, at, at + run));
		at += run;
		if (at < value.len)
			write_other(json, value, &at);
	}
	put_char(json, '"');
}

static void
begin_item(struct json *json, const char *name)
{
	if (json->depth > 0) {
		if (json->has_item[json->depth - 1])
			put_char(json, ',');
		json->has_item[json->depth - 1] = true;
	}
	if (name != NULL) {
		write_string(json, str_from(name));
		put_char(json, ':');
	}
}

void
json_open(struct json *json, const char *name, char bracket)
{
	begin_item(json, name);
	if (json->depth == JSON_DEPTH)
		BUG("JSON nested too deeply");
	put_char(json, bracket);
	json->closers[json->depth] = bracket == '{' ? '}' : ']';
	json->has_item[json->depth] = false;
	json->depth++;
}

void
json_close(struct json *json)
{
	if (json->depth == 0)
		BUG("nothing to close");
	json->depth--;
	put_char(json, json->closers[json->depth]);
	if (json->depth == 0)
		put_char(json, '\n');
}

void
json_text(struct json *json, const char *name, struct str value)
{
	begin_item(json, name);
	write_string(json, value);
}

void
json_number(struct json *json, const char *name, uint64_t value)
{
	begin_item(json, name);
	put_format(json, "%llu", (unsigned long long)value);
}

void
json_bool(struct json *json, const char *name, bool value)
{
	begin_item(json, name);
	put(json, value ? STR("true") : STR("false"));
}

void
json_null(struct json *json, const char *name)
{
	begin_item(json, name);
	put(json, STR("null"));
}

/* ---- reading ---- */

void
json_read(struct json_reader *reader, struct arena *arena, struct str text)
{
	*reader = (struct json_reader){.arena = arena, .rest = text};
}

static bool
fail(struct json_reader *reader)
{
	reader->is_broken = true;
	reader->rest = STR_EMPTY;
	return false;
}

static char
take_any(struct json_reader *reader)
{
	char c = reader->rest.len > 0 ? reader->rest.data[0] : '\0';

	reader->rest = str_skip(reader->rest, 1);
	return c;
}

/* Past blanks before it. */
static bool
take(struct json_reader *reader, char c)
{
	reader->rest = str_trim(reader->rest);
	if (reader->rest.len == 0 || reader->rest.data[0] != c)
		return false;
	take_any(reader);
	return true;
}

static bool
take_code(struct json_reader *reader, struct buf *out)
{
	uint32_t code = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		char c = ascii_lower(take_any(reader));

		if (ascii_is_digit(c))
			code = code * 16 + (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			code = code * 16 + (uint32_t)(c - 'a') + 10;
		else
			return false;
	}
	/* Half a surrogate pair is no character; we write none. */
	return utf8_add(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
}

static bool
take_escape(struct json_reader *reader, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	char c = take_any(reader);
	size_t at = str_find_char(str_from(letters), c);

	if (c == 'u')
		return take_code(reader, out);
	if (letters[at] == '\0')
		return false;
	buf_add_char(out, values[at]);
	return true;
}

static bool
add_string(struct json_reader *reader, struct buf *out)
{
	for (;;) {
		size_t len = str_find_any(reader->rest, "\"\\");

		buf_add(out, str_slice(reader->rest, 0, len));
		reader->rest = str_skip(reader->rest, len);
		switch (take_any(reader)) {
		case '"':
			return true;
		case '\\':
			if (take_escape(reader, out))
				break;
			return false;
		default:
			return false;
		}
	}
}

static bool
take_string(struct json_reader *reader, struct str *text_out)
{
	struct buf out;
	bool is_good;

	buf_init(&out, BUF_UNLIMITED);
	is_good = take(reader, '"') && add_string(reader, &out);
	*text_out = arena_copy(reader->arena, buf_view(&out));
	buf_clear(&out);
	return is_good;
}

static bool
take_end(struct json_reader *reader, struct json_item *item)
{
	char closer = reader->closers[reader->depth - 1];

	if (!take(reader, closer))
		return false;
	item->kind = JSON_END;
	item->bracket = closer;
	item->depth = --reader->depth;
	reader->has_item = true;
	return true;
}

static bool
take_begin(struct json_reader *reader, struct json_item *item, char bracket)
{
	if (reader->depth == JSON_DEPTH || !take(reader, bracket))
		return false;
	item->kind = JSON_BEGIN;
	item->bracket = bracket;
	reader->closers[reader->depth++] = bracket == '{' ? '}' : ']';
	reader->has_item = false;
	return true;
}

/* A number is not looked at closely. */
static bool
take_value(struct json_reader *reader, struct json_item *item)
{
	size_t len;

	if (take_begin(reader, item, '{') || take_begin(reader, item, '['))
		return true;
	reader->has_item = true;
	item->kind = JSON_TEXT;
	if (str_starts(reader->rest, STR("\"")))
		return take_string(reader, &item->text) || fail(reader);
	len = str_find_any(reader->rest, ",:{}[]\" \t\r\n");
	if (len == 0)
		return fail(reader);
	item->text = str_slice(reader->rest, 0, len);
	item->kind =
		ascii_is_alpha(item->text.data[0]) ? JSON_WORD : JSON_NUMBER;
	reader->rest = str_skip(reader->rest, len);
	return true;
}

static bool
take_member(struct json_reader *reader, struct json_item *item)
{
	if (take_end(reader, item))
		return true;
	if (reader->has_item && !take(reader, ','))
		return fail(reader);
	if (reader->closers[reader->depth - 1] == '}' &&
		!(take_string(reader, &item->name) && take(reader, ':')))
		return fail(reader);
	return take_value(reader, item);
}

bool
json_next(struct json_reader *reader, struct json_item *item_out)
{
	*item_out = (struct json_item){.depth = reader->depth};
	if (reader->is_broken)
		return false;
	if (reader->depth > 0)
		return take_member(reader, item_out);
	if (!reader->has_item)
		return take_value(reader, item_out);
	return str_trim(reader->rest).len == 0 ? false : fail(reader);
}
