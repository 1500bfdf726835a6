/* encoded_character - ${hex:...} and ${unicode:...} (RFC 5228 2.4.2.4)
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/registry.h"

#include "base/banned.h"

#define BEYOND_UNICODE 0x110000u

struct sequence {
	struct buf out;    /* the string so far */
	struct buf values; /* of the sequence that is being read */
	bool is_unicode;
	bool is_wrong; /* a value that is no character */
};

/* The value of a digit, 16 for anything else. */
static unsigned
hex_value(char c)
{
	if (ascii_is_digit(c))
		return (unsigned)(c - '0');
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static void
skip_blanks(struct str *rest)
{
	while (rest->len > 0 &&
		(rest->data[0] == ' ' || rest->data[0] == '\t' ||
			rest->data[0] == '\r' || rest->data[0] == '\n'))
		*rest = str_skip(*rest, 1);
}

/* False when no digit stands there. */
static bool
take_hex(struct str *rest, size_t *digits_out, uint32_t *value_out)
{
	*digits_out = 0;
	*value_out = 0;
	while (rest->len > 0 && hex_value(rest->data[0]) < 16) {
		if (*value_out < BEYOND_UNICODE)
			*value_out = *value_out * 16 + hex_value(rest->data[0]);
		++*digits_out;
		*rest = str_skip(*rest, 1);
	}
	return *digits_out > 0;
}

static bool
add_value(struct sequence *sequence, size_t digits, uint32_t value)
{
	if (sequence->is_unicode) {
		/* Only an error when the whole sequence is well-formed. */
		if (!utf8_add(&sequence->values, value))
			sequence->is_wrong = true;
		return true;
	}
	if (digits > 2)
		return false;
	buf_add_char(&sequence->values, (char)value);
	return true;
}

static bool
take_name(struct sequence *sequence, struct str *rest)
{
	if (str_starts_nocase(*rest, STR("${hex:"))) {
		sequence->is_unicode = false;
		*rest = str_skip(*rest, sizeof("${hex:") - 1);
		return true;
	}
	if (str_starts_nocase(*rest, STR("${unicode:"))) {
		sequence->is_unicode = true;
		*rest = str_skip(*rest, sizeof("${unicode:") - 1);
		return true;
	}
	return false;
}

/* *rest is behind the sequence then; it stays when there is none. */
static bool
take_sequence(struct sequence *sequence, struct str *rest)
{
	struct str at = *rest;
	uint32_t value;
	size_t digits;

	buf_reset(&sequence->values);
	sequence->is_wrong = false;
	if (!take_name(sequence, &at))
		return false;
	do {
		skip_blanks(&at);
		if (!take_hex(&at, &digits, &value))
			return false;
		if (!add_value(sequence, digits, value))
			return false;
		/* Behind the last value a blank may stand, too. */
		skip_blanks(&at);
	} while (at.len > 0 && at.data[0] != '}');
	if (at.len == 0)
		return false;
	*rest = str_skip(at, 1);
	return true;
}

/* False after a value that is no character. */
static bool
decode(struct sequence *sequence, struct str text)
{
	struct str rest = text;

	while (rest.len > 0) {
		size_t plain = str_find(rest, STR("${"));

		buf_add(&sequence->out, str_slice(rest, 0, plain));
		rest = str_skip(rest, plain);
		if (rest.len == 0)
			break;
		if (!take_sequence(sequence, &rest)) {
			/* The "{" may belong to the next sequence's "$". */
			buf_add_char(&sequence->out, '$');
			rest = str_skip(rest, 1);
			continue;
		}
		if (sequence->is_wrong)
			return false;
		buf_add(&sequence->out, buf_view(&sequence->values));
	}
	return true;
}

static bool
decode_string(struct checker *checker, struct position at, struct str *text)
{
	struct sequence sequence = {.is_wrong = false};
	bool is_good;

	buf_init(&sequence.out, BUF_UNLIMITED);
	buf_init(&sequence.values, BUF_UNLIMITED);
	is_good = decode(&sequence, *text);
	if (is_good)
		*text = arena_copy(checker->arena, buf_view(&sequence.out));
	else
		check_error(checker, at,
			"${unicode:...} names no character: from 0 to D7FF and "
			"from E000 to 10FFFF there are some");
	buf_clear(&sequence.out);
	buf_clear(&sequence.values);
	return is_good;
}

const struct extension_ops extension_encoded_character = {
	.decode = decode_string,
	.is_grammar = true,
};
