/* SPDX-License-Identifier: MIT */
#include "mail/encodedword.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/charset.h"

#include "base/banned.h"

/* =?charset*language?encoding?text?= */
struct word {
	struct str charset;
	char encoding; /* 'b' or 'q' */
	struct str text;
	size_t end; /* behind the word */
};

/* Neighbours of one charset. */
struct run {
	bool is_open;
	struct str charset;
	struct buf bytes;
	size_t gap;      /* where the blanks behind the run before begin */
	size_t from, to; /* in the value, blanks between its words included */
};

struct decoder {
	struct arena *arena;
	struct str in;
	struct buf out;
	struct run run;
	bool last_failed; /* the run before stays as it is */
	unsigned conversions;
};

/* ---- unfolding ---- */

static bool
is_fold(struct str s, size_t at)
{
	if (s.data[at] == '\r' && at + 1 < s.len && s.data[at + 1] == '\n')
		at++;
	return s.data[at] == '\n' && at + 1 < s.len &&
	       ascii_is_blank(s.data[at + 1]);
}

struct str
encodedword_unfold(struct arena *arena, struct str value)
{
	char *text;
	size_t len = 0, i;

	value = str_trim(value);
	if (!str_has_char(value, '\n'))
		return value;
	text = arena_alloc(arena, value.len + 1);
	for (i = 0; i < value.len; i++) {
		if (!is_fold(value, i))
			text[len++] = value.data[i];
		else if (value.data[i] == '\r')
			i++;
	}
	return str_of(text, len);
}

/* ---- one word ---- */

static bool
is_charset_char(char c)
{
	return (unsigned char)c > ' ' && c != 127 && c != '?' && c != '=';
}

/* The charset behind =? and in front of ?; its language (RFC 2231 5) is cut. */
static bool
find_charset(struct str in, size_t *at, struct str *charset_out)
{
	size_t from = *at;

	while (*at < in.len && is_charset_char(in.data[*at]))
		++*at;
	if (*at == from || *at == in.len || in.data[*at] != '?')
		return false;
	*charset_out = str_slice(in, from, *at);
	*charset_out =
		str_slice(*charset_out, 0, str_find_char(*charset_out, '*'));
	++*at;
	return true;
}

/* Looks no further than the next question mark. */
static bool
find_text(struct str in, size_t *at, struct str *text_out)
{
	struct str rest = str_skip(in, *at);
	size_t len = str_find_char(rest, '?');

	if (len + 1 >= rest.len || rest.data[len + 1] != '=')
		return false;
	*text_out = str_slice(rest, 0, len);
	*at += len + 2;
	return true;
}

static bool
find_word(struct str in, size_t at, struct word *word)
{
	at += 2;
	if (!find_charset(in, &at, &word->charset))
		return false;
	if (at + 1 >= in.len || in.data[at + 1] != '?')
		return false;
	word->encoding = ascii_lower(in.data[at]);
	if (word->encoding != 'b' && word->encoding != 'q')
		return false;
	at += 2;
	if (!find_text(in, &at, &word->text))
		return false;
	word->end = at;
	return true;
}

/* -1 when it is no character of base 64 */
static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool
is_base64(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (base64_value(c) < 0 && c != '=' && !ascii_is_blank(c))
			return false;
	}
	return true;
}

static bool
is_quoted_printable(struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.data[i] == '=' &&
			(i + 2 >= text.len ||
				ascii_hex_value(text.data[i + 1]) < 0 ||
				ascii_hex_value(text.data[i + 2]) < 0))
			return false;
	return true;
}

static bool
is_word_start(struct str in, size_t at)
{
	return in.data[at] == '=' && at + 1 < in.len && in.data[at + 1] == '?';
}

static bool
is_decodable(const struct word *word)
{
	return word->encoding == 'b' ? is_base64(word->text)
	                             : is_quoted_printable(word->text);
}

/* Padding may be missing, and may stand between parts that a sender encoded one
 * by one. */
static void
decode_b(struct str text, struct buf *out)
{
	unsigned bits = 0, count = 0;
	size_t i;

	for (i = 0; i < text.len; i++) {
		int value = base64_value(text.data[i]);

		if (text.data[i] == '=')
			bits = count = 0;
		if (value < 0)
			continue;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_add_char(out, (char)(bits >> count));
		}
	}
}

static void
decode_q(struct str text, struct buf *out)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '=') {
			/* is_decodable() saw two digits. */
			c = (char)((unsigned)ascii_hex_value(text.data[i + 1])
					   << 4 |
				   (unsigned)ascii_hex_value(text.data[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		}
		buf_add_char(out, c);
	}
}

/* ---- all of them ---- */

static void
add_decoded(struct decoder *decoder, struct str text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		bool is_line_end = text.data[i] == '\r' || text.data[i] == '\n';

		buf_add_char(&decoder->out, is_line_end ? ' ' : text.data[i]);
	}
}

/* Blanks vanish only between two runs that both become text. */
static void
run_end(struct decoder *decoder)
{
	struct run *run = &decoder->run;
	bool failed = decoder->conversions >= ENCODEDWORD_CONVERSIONS_MOST;
	struct str text;

	if (!run->is_open)
		return;
	run->is_open = false;
	decoder->conversions++;
	if (!failed)
		failed = !charset_to_utf8(decoder->arena, run->charset,
			buf_view(&run->bytes), &text);
	if (failed || decoder->last_failed)
		buf_add(&decoder->out,
			str_slice(decoder->in, run->gap, run->from));
	if (failed)
		buf_add(&decoder->out,
			str_slice(decoder->in, run->from, run->to));
	else
		add_decoded(decoder, text);
	decoder->last_failed = failed;
}

/* The word's bytes go to the run, which begins with it or goes on.  [gap, from):
 * blanks between it and the word before, or nothing. */
static void
run_add(struct decoder *decoder, const struct word *word, size_t gap,
	size_t from)
{
	struct run *run = &decoder->run;

	if (run->is_open && !str_equal_nocase(run->charset, word->charset))
		run_end(decoder);
	if (!run->is_open) {
		buf_reset(&run->bytes);
		run->gap = gap;
		run->from = from;
	}
	run->is_open = true;
	run->charset = word->charset;
	run->to = word->end;
	if (word->encoding == 'b')
		decode_b(word->text, &run->bytes);
	else
		decode_q(word->text, &run->bytes);
}

/* [plain, at) is text that may yet vanish: blanks behind a word. */
static void
decode_all(struct decoder *decoder)
{
	struct str in = decoder->in;
	size_t at = 0, plain = 0;
	bool after_word = false;

	while (at < in.len) {
		struct word word;
		bool is_word = is_word_start(in, at) &&
		               find_word(in, at, &word) && is_decodable(&word);

		if (!is_word && ascii_is_blank(in.data[at])) {
			at++;
			continue;
		}
		if (!is_word || !after_word) {
			run_end(decoder);
			buf_add(&decoder->out,
				str_slice(in, plain, is_word ? at : at + 1));
		}
		if (is_word)
			run_add(decoder, &word, after_word ? plain : at, at);
		at = plain = is_word ? word.end : at + 1;
		after_word = is_word;
	}
	run_end(decoder);
	buf_add(&decoder->out, str_skip(in, plain));
}

struct str
encodedword_decode(struct arena *arena, struct str value)
{
	struct decoder decoder = {.arena = arena};
	struct str text = encodedword_unfold(arena, value);

	if (str_find(text, STR("=?")) == text.len)
		return text;
	decoder.in = text;
	buf_init(&decoder.out, BUF_UNLIMITED);
	buf_init(&decoder.run.bytes, BUF_UNLIMITED);
	decode_all(&decoder);
	text = arena_copy(arena, buf_view(&decoder.out));
	buf_clear(&decoder.out);
	buf_clear(&decoder.run.bytes);
	return text;
}
