/* SPDX-License-Identifier: MIT */
#include "mail/compose.h"

#include <string.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "mail/address.h"

#include "base/banned.h"

enum {
	LINE_MOST = 78,    /* RFC 5322 2.1.1: SHOULD */
	WORD_MOST = 900,   /* the MUST is 998 for the line */
	ENCODED_MOST = 75, /* RFC 2047 2 */
	SEVEN_BIT_LINE_MOST = 998,
	QUOTED_LINE_MOST = 76,
	FRAME = 12,             /* =?utf-8?q? and ?= */
	ENCODED_LEAST_ROOM = 32 /* else it begins in the next line */
};

#define Q_START STR("=?utf-8?q?")
#define B_START STR("=?utf-8?b?")
#define ENCODED_END STR("?=")

bool
compose_is_name(struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] >= 127 ||
			name.data[i] == ':')
			return false;
	return name.len > 0 && name.len <= COMPOSE_NAME_MOST;
}

/* The line end at `at`: 1 or 2 bytes, 0 when there is none. */
static size_t
line_end_length(struct str value, size_t at)
{
	if (value.data[at] == '\n')
		return 1;
	return value.data[at] == '\r' && at + 1 < value.len &&
	                       value.data[at + 1] == '\n'
	               ? 2
	               : 0;
}

bool
compose_is_value(struct str value)
{
	size_t at = 0;

	while (at < value.len) {
		size_t end = line_end_length(value, at);

		if (value.data[at] == '\0' ||
			(value.data[at] == '\r' && end == 0))
			return false;
		if (end > 0 && (at + end == value.len ||
				       !ascii_is_blank(value.data[at + end])))
			return false;
		at += end > 0 ? end : 1;
	}
	return true;
}

/* ---- words ---- */

/* A word with the blanks in front of it. */
struct word {
	struct str blanks, text;
	bool is_encoded;
};

struct composer {
	struct str rest; /* of the unfolded value */
	struct buf out;
	size_t column; /* where the next byte will stand */
	bool is_first; /* nothing stands behind the name */
};

static struct str
unfolded(struct arena *arena, struct str value)
{
	struct buf buf;
	struct str text;
	size_t at = 0;

	if (str_find_char(value, '\n') == value.len)
		return str_trim(value);
	buf_init(&buf, BUF_UNLIMITED);
	while (at < value.len) {
		size_t end = line_end_length(value, at);

		if (end == 0)
			buf_add_char(&buf, value.data[at++]);
		at += end;
	}
	text = str_trim(arena_copy(arena, buf_view(&buf)));
	buf_clear(&buf);
	return text;
}

static bool
is_plain(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] >= 127)
			return false;
	return text.len <= WORD_MOST;
}

static bool
peek_word(struct str rest, struct word *word_out)
{
	size_t blanks = 0, end;

	while (blanks < rest.len && ascii_is_blank(rest.data[blanks]))
		blanks++;
	end = blanks;
	while (end < rest.len && !ascii_is_blank(rest.data[end]))
		end++;
	*word_out = (struct word){
		.blanks = str_slice(rest, 0, blanks),
		.text = str_slice(rest, blanks, end),
	};
	word_out->is_encoded = !is_plain(word_out->text);
	return end > 0;
}

static size_t
word_length(const struct word *word)
{
	return word->blanks.len + word->text.len;
}

/* A run of words that all have to be encoded, with the blanks between them:
 * those between two encoded words would vanish. */
static struct word
take_word(struct composer *composer)
{
	struct word word, next;

	(void)peek_word(composer->rest, &word);
	composer->rest = str_skip(composer->rest, word_length(&word));
	while (word.is_encoded && peek_word(composer->rest, &next) &&
		next.is_encoded) {
		word.text.len += word_length(&next);
		composer->rest = str_skip(composer->rest, word_length(&next));
	}
	return word;
}

/* ---- what is given out ---- */

static void
put(struct composer *composer, struct str text)
{
	buf_add(&composer->out, text);
	composer->column += text.len;
}

static void
fold(struct composer *composer)
{
	buf_add_char(&composer->out, '\n');
	composer->column = 0;
}

/* The blanks before a word that takes `room` bytes. */
static void
put_blanks(struct composer *composer, struct str blanks, size_t room)
{
	if (!composer->is_first &&
		composer->column + blanks.len + room > LINE_MOST)
		fold(composer);
	/* No line could hold them. */
	put(composer, str_slice(blanks, 0, LINE_MOST));
}

static bool
is_literal_in_q(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '!' ||
	       c == '*' || c == '+' || c == '/';
}

static size_t
q_length(struct str text)
{
	size_t length = 0, i;

	for (i = 0; i < text.len; i++)
		length += text.data[i] == ' ' || is_literal_in_q(text.data[i])
		                  ? 1
		                  : 3;
	return length;
}

static void
put_q(struct composer *composer, struct str text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	put(composer, Q_START);
	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		const char code[] = {'=', digits[c >> 4], digits[c & 15]};

		if (c == ' ')
			put(composer, STR("_"));
		else if (is_literal_in_q((char)c))
			put(composer, str_of(text.data + i, 1));
		else
			put(composer, str_of(code, sizeof(code)));
	}
	put(composer, ENCODED_END);
}

static void
put_b(struct arena *arena, struct composer *composer, struct str text)
{
	put(composer, B_START);
	put(composer, encode_base64(arena, text, true, false));
	put(composer, ENCODED_END);
}

static size_t
b_length(struct str text)
{
	return (text.len + 2) / 3 * 4;
}

static size_t
encoded_length(struct str text, bool is_b)
{
	return is_b ? b_length(text) : q_length(text);
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* As many code points as fit `room`; one at least. */
static struct str
cut_to_room(struct str text, bool is_b, size_t room)
{
	enum { LONGEST_CODE_POINT = 4 };
	size_t len = utf8_cut(text, LONGEST_CODE_POINT).len;
	struct str cut = utf8_cut(text, room);

	while (cut.len > len && encoded_length(cut, is_b) > room)
		cut = utf8_cut(text, cut.len - 1);
	return cut;
}

static struct str
repaired(struct arena *arena, struct str text)
{
	struct buf buf;

	if (utf8_is_valid(text))
		return text;
	buf_init(&buf, BUF_UNLIMITED);
	utf8_add_repaired(&buf, text);
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

/* For the next encoded word, from here to the end of the line. */
static size_t
encoded_room(const struct composer *composer)
{
	if (composer->column + FRAME + ENCODED_LEAST_ROOM >= LINE_MOST)
		return ENCODED_MOST - FRAME;
	return smaller(LINE_MOST - composer->column, ENCODED_MOST) - FRAME;
}

static void
put_encoded(
	struct arena *arena, struct composer *composer, const struct word *word)
{
	struct str text = repaired(arena, word->text);
	bool is_b = b_length(text) < q_length(text);

	put_blanks(composer, word->blanks,
		FRAME + smaller(encoded_length(text, is_b),
				ENCODED_LEAST_ROOM));
	while (text.len > 0) {
		struct str part =
			cut_to_room(text, is_b, encoded_room(composer));

		if (is_b)
			put_b(arena, composer, part);
		else
			put_q(composer, part);
		text = str_skip(text, part.len);
		if (text.len > 0) {
			fold(composer);
			put(composer, STR(" "));
		}
	}
}

struct str
compose_value(struct arena *arena, struct str name, struct str value)
{
	struct composer composer = {
		.rest = unfolded(arena, value),
		.column = name.len + 2,
		.is_first = true,
	};
	struct str text;

	if (composer.column + composer.rest.len <= LINE_MOST &&
		is_plain(composer.rest))
		return composer.rest;
	buf_init(&composer.out, BUF_UNLIMITED);
	while (composer.rest.len > 0) {
		struct word word = take_word(&composer);

		if (word.is_encoded) {
			put_encoded(arena, &composer, &word);
		} else {
			put_blanks(&composer, word.blanks, word.text.len);
			put(&composer, word.text);
		}
		composer.is_first = false;
	}
	text = arena_copy(arena, buf_view(&composer.out));
	buf_clear(&composer.out);
	return text;
}

/* ---- bodies ---- */

struct str
compose_lf(struct arena *arena, struct str text)
{
	char *lf;
	size_t len = 0, i;

	if (!str_has_char(text, '\r'))
		return text;
	lf = arena_alloc(arena, text.len);
	for (i = 0; i < text.len; i++)
		if (text.data[i] != '\r' || i + 1 == text.len ||
			text.data[i + 1] != '\n')
			lf[len++] = text.data[i];
	return str_of(lf, len);
}

/* RFC 2045 2.7: 7bit. */
static bool
is_seven_bit(struct str text)
{
	size_t line = 0, i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		line = c == '\n' ? 0 : line + 1;
		if (line > SEVEN_BIT_LINE_MOST || c == '\r' ||
			(c < ' ' && c != '\n' && c != '\t') || c >= 127)
			return false;
	}
	return true;
}

/* RFC 2045 6.7: blanks at the end of a line would be lost. */
static bool
is_literal_in_text(struct str text, size_t at)
{
	char c = text.data[at];
	bool is_last = at + 1 == text.len || text.data[at + 1] == '\n';

	if (c == ' ' || c == '\t')
		return !is_last;
	return c > ' ' && c < 127 && c != '=';
}

static void
add_quoted(struct buf *buf, struct str text)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t column = 0, i;

	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		const char code[] = {'=', digits[c >> 4], digits[c & 15]};
		bool is_literal = is_literal_in_text(text, i);

		if (c == '\n') {
			buf_add_char(buf, '\n');
			column = 0;
			continue;
		}
		if (column + (is_literal ? 1 : 3) > QUOTED_LINE_MOST - 1) {
			buf_add_text(buf, "=\n");
			column = 0;
		}
		if (is_literal)
			buf_add_char(buf, (char)c);
		else
			buf_add(buf, str_of(code, sizeof(code)));
		column += is_literal ? 1 : 3;
	}
}

struct str
compose_part(struct arena *arena, struct str fields, struct str text)
{
	struct buf buf;
	bool is_quoted;

	text = compose_lf(arena, text);
	is_quoted = !is_seven_bit(text);
	buf_init(&buf, BUF_UNLIMITED);
	buf_add(&buf, fields);
	if (is_quoted)
		buf_add_text(
			&buf, "Content-Transfer-Encoding: quoted-printable\n");
	buf_add_char(&buf, '\n');
	if (is_quoted)
		add_quoted(&buf, text);
	else
		buf_add(&buf, text);
	if (!str_ends(text, STR("\n")))
		buf_add_char(&buf, '\n');
	text = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return text;
}

struct str
compose_text_part(struct arena *arena, struct str text)
{
	return compose_part(
		arena, STR("Content-Type: text/plain; charset=utf-8\n"), text);
}

/* ---- addresses ---- */

enum {
	ADDRESSES_MOST = 100,
	PHRASE_MOST = 200 /* bytes; a longer one is encoded, which folds */
};

/* RFC 2047 5: no encoded word stands in a quoted string. */
static struct str
without_quotes(struct arena *arena, struct str phrase)
{
	struct buf buf;
	size_t i;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < phrase.len; i++) {
		if (phrase.data[i] == '\\' && i + 1 < phrase.len)
			i++;
		else if (phrase.data[i] == '"')
			continue;
		buf_add_char(&buf, phrase.data[i]);
	}
	phrase = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return phrase;
}

/* All of it: what stays plain might hold what has a meaning in an address. */
static struct str
encoded_phrase(struct arena *arena, struct str name, struct str phrase)
{
	struct composer composer = {
		.column = name.len + 2,
		.is_first = true,
	};
	const struct word word = {
		.blanks = STR_EMPTY,
		.text = without_quotes(arena, phrase),
	};

	buf_init(&composer.out, BUF_UNLIMITED);
	put_encoded(arena, &composer, &word);
	phrase = arena_copy(arena, buf_view(&composer.out));
	buf_clear(&composer.out);
	return phrase;
}

static bool
is_atom_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Behind the word at `at`; `at` itself where there is none. */
static size_t
phrase_word_end(struct str phrase, size_t at)
{
	if (at < phrase.len && phrase.data[at] == '"') {
		size_t end = at + 1;

		while (end < phrase.len && phrase.data[end] != '"')
			end += phrase.data[end] == '\\' ? 2 : 1;
		return end < phrase.len ? end + 1 : at;
	}
	while (at < phrase.len && is_atom_char(phrase.data[at]))
		at++;
	return at;
}

/* RFC 5322 3.2.5: words, each an atom or a quoted string. */
static bool
is_phrase(struct str phrase)
{
	size_t at = 0;

	while (at < phrase.len) {
		size_t end = ascii_is_space(phrase.data[at])
		                     ? at + 1
		                     : phrase_word_end(phrase, at);

		if (end == at)
			return false;
		at = end;
	}
	return true;
}

static struct str
quoted_phrase(struct arena *arena, struct str phrase)
{
	struct buf buf;
	size_t i;

	phrase = without_quotes(arena, phrase);
	buf_init(&buf, BUF_UNLIMITED);
	buf_add_char(&buf, '"');
	for (i = 0; i < phrase.len; i++) {
		char c = phrase.data[i];

		if (c == '"' || c == '\\')
			buf_add_char(&buf, '\\');
		buf_add_char(&buf, (unsigned char)c < ' ' ? ' ' : c);
	}
	buf_add_char(&buf, '"');
	phrase = arena_copy(arena, buf_view(&buf));
	buf_clear(&buf);
	return phrase;
}

/* A display name that any reader takes for one, whatever it was: it may be a part
 * of somebody's message. */
static struct str
good_phrase(struct arena *arena, struct str name, struct str phrase)
{
	if (!utf8_is_ascii(phrase) || phrase.len > PHRASE_MOST)
		return encoded_phrase(arena, name, phrase);
	return is_phrase(phrase) ? phrase : quoted_phrase(arena, phrase);
}

static void
add_address(struct arena *arena, struct buf *buf, struct str name,
	const struct address *address)
{
	struct str phrase =
		good_phrase(arena, name, str_trim(address->display));

	buf_add(buf, phrase);
	if (phrase.len > 0)
		buf_add_text(buf, " <");
	buf_add(buf, address->text);
	if (phrase.len > 0)
		buf_add_char(buf, '>');
}

static bool
is_usable(const struct address *address)
{
	return !address->is_broken && !address->is_null &&
	       address->domain.len > 0 && compose_is_value(address->display) &&
	       compose_is_value(address->text);
}

bool
compose_addresses(struct arena *arena, struct str name, struct str list,
	struct str *value_out)
{
	const struct address *addresses;
	size_t count = address_parse_list(
		       arena, list, ADDRESSES_MOST, &addresses),
	       i;
	bool is_good = count > 0;
	struct buf buf;

	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < count && is_good; i++) {
		is_good = is_usable(&addresses[i]);
		if (i > 0)
			buf_add_text(&buf, ",\n\t");
		if (is_good)
			add_address(arena, &buf, name, &addresses[i]);
	}
	*value_out = compose_lf(arena, arena_copy(arena, buf_view(&buf)));
	buf_clear(&buf);
	return is_good;
}
