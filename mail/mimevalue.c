/* SPDX-License-Identifier: MIT */
#include "mail/mimevalue.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/charset.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include "mail/encodedword.h"

#include "base/banned.h"

/* In the order in which they are preferred. */
enum piece_kind {
	PIECE_WHOLE,   /* name*=charset'language'text */
	PIECE_SECTION, /* name*N=text, name*N*=text */
	PIECE_PLAIN    /* name=text */
};

/* One attribute=value of the text. */
struct piece {
	struct str name; /* without the asterisks */
	struct str value;
	enum piece_kind kind;
	bool is_extended; /* percent signs mean something */
	uint64_t section;
	size_t place; /* in the text */
};

struct reader {
	struct arena *arena;
	struct str in;
	size_t at;
};

/* ---- the text ---- */

static bool
is_at(const struct reader *reader, char c)
{
	return reader->at < reader->in.len && reader->in.data[reader->at] == c;
}

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->in.len &&
		ascii_is_space(reader->in.data[reader->at]))
		reader->at++;
}

/* At a "(".  Comments may stand in comments. */
static void
skip_comment(struct reader *reader)
{
	size_t depth = 0;

	while (reader->at < reader->in.len) {
		char c = reader->in.data[reader->at++];

		if (c == '\\')
			reader->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return;
	}
	reader->at = reader->in.len;
}

static void
skip_between(struct reader *reader)
{
	skip_blanks(reader);
	while (is_at(reader, '(')) {
		skip_comment(reader);
		skip_blanks(reader);
	}
}

/* Up to one of `ends`, a blank or the end. */
static struct str
take_word(struct reader *reader, const char *ends)
{
	size_t from = reader->at;

	while (reader->at < reader->in.len) {
		char c = reader->in.data[reader->at];

		if (ascii_is_space(c) || (c != '\0' && strchr(ends, c) != NULL))
			break;
		reader->at++;
	}
	return str_slice(reader->in, from, reader->at);
}

/* The length of what stands before the closing quote, or before the end. */
static size_t
quoted_length(struct str rest)
{
	size_t at = 0;

	while (at < rest.len && rest.data[at] != '"')
		at += rest.data[at] == '\\' ? 2 : 1;
	return at < rest.len ? at : rest.len;
}

/* Behind the opening quote.  A missing closing one is at the end. */
static struct str
take_quoted(struct reader *reader)
{
	struct str rest = str_skip(reader->in, reader->at);
	struct str quoted = str_slice(rest, 0, quoted_length(rest));
	size_t len = 0, i;
	char *text;

	reader->at += quoted.len + 1;
	if (str_find_any(quoted, "\\\r\n") == quoted.len)
		return quoted;
	text = arena_alloc(reader->arena, quoted.len + 1);
	for (i = 0; i < quoted.len; i++) {
		char c = quoted.data[i];

		if (c == '\\' && i + 1 < quoted.len)
			c = quoted.data[++i];
		/* A fold. */
		if (c != '\r' && c != '\n')
			text[len++] = c;
	}
	return str_of(text, len);
}

/* Does the value end at this blank?  A comment stands behind it, or the next
 * attribute does and the semicolon is missing. */
static bool
ends_value(struct str in, size_t at)
{
	size_t word;

	while (at < in.len && ascii_is_space(in.data[at]))
		at++;
	if (at == in.len || in.data[at] == '(')
		return true;
	for (word = at; word < in.len; word++) {
		char c = in.data[word];

		if (c == '=')
			return word > at;
		if (c == ';' || ascii_is_space(c))
			break;
	}
	return false;
}

/* A value without quotes; blanks may stand in it. */
static struct str
take_unquoted(struct reader *reader)
{
	size_t from = reader->at;

	while (reader->at < reader->in.len && !is_at(reader, ';')) {
		if (ascii_is_space(reader->in.data[reader->at])) {
			if (ends_value(reader->in, reader->at))
				break;
			skip_blanks(reader);
		} else {
			reader->at++;
		}
	}
	return str_trim(str_slice(reader->in, from, reader->at));
}

/* ---- pieces ---- */

/* name, name*, name*N, name*N* */
static void
read_name(struct str attribute, struct piece *piece)
{
	size_t star = str_find_char(attribute, '*');
	struct str number;

	piece->name = attribute;
	piece->kind = PIECE_PLAIN;
	if (star == attribute.len || star == 0)
		return;
	number = str_skip(attribute, star + 1);
	piece->is_extended = number.len == 0 || str_ends(number, STR("*"));
	if (number.len > 0 && piece->is_extended)
		number.len--;
	if (number.len == 0)
		piece->kind = PIECE_WHOLE;
	else if (number_parse(number, &piece->section) == 0)
		piece->kind = PIECE_SECTION;
	else
		return;
	piece->name = str_slice(attribute, 0, star);
}

/* False when it is no attribute with a value. */
static bool
read_piece(struct reader *reader, struct piece *piece)
{
	struct str attribute = take_word(reader, "=;(\"");

	skip_between(reader);
	if (!is_at(reader, '=')) {
		/* Stray bytes: go on behind them. */
		if (attribute.len == 0 && !is_at(reader, ';'))
			reader->at++;
		return false;
	}
	reader->at++;
	skip_between(reader);
	*piece = (struct piece){.place = reader->at};
	read_name(attribute, piece);
	if (is_at(reader, '"')) {
		reader->at++;
		piece->value = take_quoted(reader);
	} else {
		piece->value = take_unquoted(reader);
	}
	return attribute.len > 0;
}

static size_t
read_pieces(struct reader *reader, struct piece *pieces)
{
	size_t count = 0;

	for (;;) {
		skip_between(reader);
		while (is_at(reader, ';')) {
			reader->at++;
			skip_between(reader);
		}
		if (reader->at >= reader->in.len ||
			count == MIMEVALUE_PIECES_MOST)
			return count;
		if (read_piece(reader, &pieces[count]))
			count++;
	}
}

static int
compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int order = str_compare_nocase(x->name, y->name);

	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	if (order == 0)
		order = (x->section > y->section) - (x->section < y->section);
	if (order == 0)
		order = (x->place > y->place) - (x->place < y->place);
	return order;
}

/* ---- joining (RFC 2231 3, 4) ---- */

static void
add_unescaped(struct str text, struct buf *out)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '%' && i + 2 < text.len &&
			ascii_hex_value(text.data[i + 1]) >= 0 &&
			ascii_hex_value(text.data[i + 2]) >= 0) {
			c = (char)((unsigned)ascii_hex_value(text.data[i + 1])
					   << 4 |
				   (unsigned)ascii_hex_value(text.data[i + 2]));
			i += 2;
		}
		buf_add_char(out, c);
	}
}

static void
add_piece(const struct piece *piece, struct str value, struct buf *out)
{
	if (piece->is_extended)
		add_unescaped(value, out);
	else
		buf_add(out, value);
}

/* Takes charset'language' off the front; false when it is not there. */
static bool
take_charset(struct str *value, struct str *charset_out)
{
	size_t first = str_find_char(*value, '\'');
	struct str rest = str_skip(*value, first + 1);
	size_t second = str_find_char(rest, '\'');

	if (first == value->len || second == rest.len)
		return false;
	*charset_out = str_slice(*value, 0, first);
	*value = str_skip(rest, second + 1);
	return true;
}

static struct str
in_utf8(struct arena *arena, struct str charset, struct str bytes)
{
	struct str text;

	if (charset.len > 0 && charset_to_utf8(arena, charset, bytes, &text))
		return text;
	if (charset_to_utf8(arena, STR("utf-8"), bytes, &text))
		return text;
	return bytes;
}

/* The pieces [first, end) are consecutive sections, or one alone. */
static void
join(struct arena *arena, const struct piece *first, const struct piece *end,
	struct mime_parameter *parameter)
{
	struct str value = first->value, charset = STR_EMPTY;
	struct buf buf;

	parameter->had_charset =
		first->is_extended && take_charset(&value, &charset);
	buf_init(&buf, BUF_UNLIMITED);
	add_piece(first, value, &buf);
	for (first++; first < end; first++)
		add_piece(first, first->value, &buf);
	value = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	if (parameter->had_charset)
		value = in_utf8(arena, charset, value);
	parameter->value = value;
}

/* Behind the last section that follows without a gap. */
static const struct piece *
sections_end(const struct piece *first, const struct piece *end)
{
	const struct piece *last = first;

	while (last + 1 < end && last[1].kind == PIECE_SECTION &&
		last[1].section == last->section + 1)
		last++;
	return last + 1;
}

/* Of all pieces of one name the best: see enum piece_kind.  Some senders begin
 * to count at 1. */
static void
choose(struct arena *arena, const struct piece *first, const struct piece *end,
	struct mime_parameter *parameter)
{
	const struct piece *plain = end - 1;

	parameter->name = first->name;
	if (first->kind == PIECE_SECTION && first->section > 1 &&
		plain->kind == PIECE_PLAIN) {
		while (plain > first && plain[-1].kind == PIECE_PLAIN)
			plain--;
		first = plain;
	}
	if (first->kind == PIECE_PLAIN)
		parameter->value = first->value;
	else if (first->kind == PIECE_WHOLE)
		join(arena, first, first + 1, parameter);
	else
		join(arena, first, sections_end(first, end), parameter);
}

static void
make_parameters(struct arena *arena, struct piece *pieces, size_t count,
	struct mimevalue *mimevalue)
{
	struct mime_parameter *parameters =
		ARENA_ARRAY(arena, struct mime_parameter, count + 1);
	size_t i = 0;

	/* By name, so that no sender can make the search for parts of a value
	 * slow. */
	if (count > 0)
		qsort(pieces, count, sizeof(*pieces), compare_pieces);
	while (i < count) {
		size_t end = i + 1;

		while (end < count &&
			str_equal_nocase(pieces[end].name, pieces[i].name))
			end++;
		choose(arena, pieces + i, pieces + end,
			&parameters[mimevalue->count++]);
		i = end;
	}
	mimevalue->parameters = parameters;
}

/* ---- all ---- */

static void
read_type(struct reader *reader, struct mimevalue *mimevalue)
{
	skip_between(reader);
	/* "=" would make it a parameter of a value that has no type. */
	mimevalue->type = take_word(reader, "/;(=\"");
	if (is_at(reader, '=')) {
		reader->at = 0;
		mimevalue->type = STR_EMPTY;
		return;
	}
	skip_between(reader);
	if (is_at(reader, '/')) {
		reader->at++;
		skip_between(reader);
		mimevalue->subtype = take_word(reader, ";(\"");
	}
}

void
mimevalue_parse(
	struct arena *arena, struct str value, struct mimevalue *mimevalue_out)
{
	struct reader reader = {.arena = arena, .in = value};
	struct piece *pieces;
	size_t count;

	*mimevalue_out =
		(struct mimevalue){.type = STR_EMPTY, .subtype = STR_EMPTY};
	read_type(&reader, mimevalue_out);
	pieces = memory_get(
		memory_product(MIMEVALUE_PIECES_MOST + 1, sizeof(*pieces)));
	count = read_pieces(&reader, pieces);
	make_parameters(arena, pieces, count, mimevalue_out);
	memory_free(pieces);
}

const struct mime_parameter *
mimevalue_find(const struct mimevalue *mimevalue, struct str name)
{
	size_t i;

	for (i = 0; i < mimevalue->count; i++)
		if (str_equal_nocase(mimevalue->parameters[i].name, name))
			return &mimevalue->parameters[i];
	return NULL;
}

struct str
mime_parameter_text(struct arena *arena, const struct mime_parameter *parameter)
{
	if (parameter->had_charset)
		return parameter->value;
	return encodedword_decode(arena, parameter->value);
}
