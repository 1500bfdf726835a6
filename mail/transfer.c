/* SPDX-License-Identifier: MIT */
#include "mail/transfer.h"

#include <stdint.h>

#include "base/attributes.h"

#include "base/banned.h"

/* ---- names ---- */

static const struct {
	const char *name;
	enum transfer_encoding encoding;
} encodings[] = {
	{"7bit", TRANSFER_IDENTITY},
	{"8bit", TRANSFER_IDENTITY},
	{"binary", TRANSFER_IDENTITY},
	{"base64", TRANSFER_BASE64},
	{"quoted-printable", TRANSFER_QUOTED_PRINTABLE},
	/* Seen in the wild. */
	{"7-bit", TRANSFER_IDENTITY},
	{"8-bit", TRANSFER_IDENTITY},
	{"none", TRANSFER_IDENTITY},
};

/* "(comment) base64" is nobody's form; one behind the name is. */
enum transfer_encoding
transfer_find(struct str value)
{
	size_t i;

	value = str_trim(value);
	if (value.len > 0 && value.data[0] == '"')
		value = str_skip(value, 1);
	value = str_slice(value, 0, str_find_any(value, " \t\r\n;(\""));
	if (value.len == 0)
		return TRANSFER_IDENTITY;
	for (i = 0; i < ARRAY_LENGTH(encodings); i++)
		if (str_is_nocase(value, encodings[i].name))
			return encodings[i].encoding;
	return TRANSFER_UNKNOWN;
}

/* ---- as it is ---- */

/* Only line ends change, from LF to CR LF. */
static void
add_identity(struct transfer *transfer, struct str piece, struct buf *out)
{
	size_t at = 0;

	while (at < piece.len) {
		size_t end = at + str_find_char(str_skip(piece, at), '\n');
		bool has_cr = end > at ? piece.data[end - 1] == '\r'
		                       : transfer->after_cr;

		buf_add(out, str_slice(piece, at, end));
		if (end < piece.len)
			buf_add_text(out, has_cr ? "\n" : "\r\n");
		transfer->after_cr = end == piece.len && has_cr;
		at = end + 1;
	}
}

/* ---- base64 (RFC 2045 6.8) ---- */

/* By character; -1: no digit. */
static const int16_t base64_values[256] = {
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	62,
	-1,
	-1,
	-1,
	63,
	52,
	53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	0,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	26,
	27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
	-1,
};

/* Four digits at once, as long as nothing else stands between them. */
static size_t
add_quanta(struct str piece, size_t at, struct buf *out)
{
	while (piece.len - at >= 4) {
		const unsigned char *in =
			(const unsigned char *)piece.data + at;
		int a = base64_values[in[0]], b = base64_values[in[1]];
		int c = base64_values[in[2]], d = base64_values[in[3]];
		unsigned bits;
		char *room;

		if ((a | b | c | d) < 0)
			break;
		room = buf_reserve(out, 3);
		if (room == NULL)
			break;
		bits = (unsigned)a << 18 | (unsigned)b << 12 |
		       (unsigned)c << 6 | (unsigned)d;
		room[0] = (char)(bits >> 16);
		room[1] = (char)(bits >> 8);
		room[2] = (char)bits;
		out->len += 3;
		at += 4;
	}
	return at;
}

/* Padding may be missing, and may stand between parts that a sender encoded one
 * by one.  All other characters are left out (RFC 2045 6.8). */
static void
add_base64(struct transfer *transfer, struct str piece, struct buf *out)
{
	size_t at = 0;

	while (at < piece.len) {
		unsigned char c;
		int value;

		if (transfer->count == 0)
			at = add_quanta(piece, at, out);
		if (at == piece.len)
			break;
		c = (unsigned char)piece.data[at++];
		value = base64_values[c];
		if (c == '=')
			transfer->bits = transfer->count = 0;
		if (value < 0)
			continue;
		transfer->bits =
			(transfer->bits << 6 | (unsigned)value) & 0xffff;
		transfer->count += 6;
		if (transfer->count >= 8) {
			transfer->count -= 8;
			buf_add_char(
				out, (char)(transfer->bits >> transfer->count));
		}
	}
}

/* ---- quoted-printable (RFC 2045 6.7) ---- */

enum { PLAIN, AFTER_EQUALS, AFTER_DIGIT, AFTER_EQUALS_CR };

static void
add_kept(struct transfer *transfer, struct str bytes, struct buf *out)
{
	buf_add(out, bytes);
	transfer->tail = 0;
	transfer->is_soft = false;
}

static void
take_back(struct transfer *transfer, struct buf *out)
{
	if (transfer->tail > 0 && !out->overflowed) {
		out->len -= transfer->tail;
		out->data[out->len] = '\0';
	}
	transfer->tail = 0;
}

/* Blanks at the end of a line come from the way (rule 3), and so do those
 * behind the "=" of a soft line end. */
static void
end_line(struct transfer *transfer, struct buf *out)
{
	bool has_cr = transfer->after_cr || transfer->ends_lines;

	take_back(transfer, out);
	if (!transfer->is_soft)
		buf_add_text(out, has_cr ? "\r\n" : "\n");
	transfer->after_cr = false;
	transfer->is_soft = false;
}

static void
add_plain(struct transfer *transfer, char c, struct buf *out)
{
	if (c == '\n') {
		end_line(transfer, out);
		return;
	}
	if (transfer->after_cr) {
		transfer->after_cr = false;
		add_kept(transfer, STR("\r"), out);
	}
	if (c == '\r') {
		transfer->after_cr = true;
	} else if (c == '=') {
		transfer->state = AFTER_EQUALS;
	} else if (ascii_is_blank(c)) {
		buf_add_char(out, c);
		transfer->tail++;
	} else {
		add_kept(transfer, str_of(&c, 1), out);
	}
}

static void
add_after_equals(struct transfer *transfer, char c, struct buf *out)
{
	transfer->state = PLAIN;
	if (ascii_hex_value(c) >= 0) {
		transfer->state = AFTER_DIGIT;
		transfer->digit = c;
	} else if (c == '\r') {
		transfer->state = AFTER_EQUALS_CR;
	} else if (c == '\n') {
		transfer->tail = 0;
		transfer->is_soft = true;
		end_line(transfer, out);
	} else {
		add_kept(transfer, STR("="), out);
		transfer->is_soft = ascii_is_blank(c);
		transfer->tail = ascii_is_blank(c) ? 1 : 0;
		add_plain(transfer, c, out);
	}
}

static void
add_after_digit(struct transfer *transfer, char c, struct buf *out)
{
	int high = ascii_hex_value(transfer->digit), low = ascii_hex_value(c);
	char byte;

	transfer->state = PLAIN;
	if (low >= 0) {
		byte = (char)((unsigned)high << 4 | (unsigned)low);
		add_kept(transfer, str_of(&byte, 1), out);
		return;
	}
	add_kept(transfer, STR("="), out);
	add_kept(transfer, str_of(&transfer->digit, 1), out);
	add_plain(transfer, c, out);
}

static void
add_after_equals_cr(struct transfer *transfer, char c, struct buf *out)
{
	transfer->state = PLAIN;
	if (c == '\n') {
		transfer->tail = 0;
		transfer->is_soft = true;
		end_line(transfer, out);
		return;
	}
	add_kept(transfer, STR("=\r"), out);
	add_plain(transfer, c, out);
}

static void
add_character(struct transfer *transfer, char c, struct buf *out)
{
	switch (transfer->state) {
	case AFTER_EQUALS:
		add_after_equals(transfer, c, out);
		break;
	case AFTER_DIGIT:
		add_after_digit(transfer, c, out);
		break;
	case AFTER_EQUALS_CR:
		add_after_equals_cr(transfer, c, out);
		break;
	default:
		add_plain(transfer, c, out);
	}
}

/* The length of what needs no thought. */
static size_t
plain_length(struct str piece, size_t at)
{
	size_t from = at;

	while (at < piece.len) {
		char c = piece.data[at];

		if (c == '=' || c == '\n' || c == '\r' || ascii_is_blank(c))
			break;
		at++;
	}
	return at - from;
}

static void
add_quoted_printable(
	struct transfer *transfer, struct str piece, struct buf *out)
{
	size_t at = 0;

	while (at < piece.len) {
		size_t plain = 0;

		if (transfer->state == PLAIN && !transfer->after_cr)
			plain = plain_length(piece, at);
		if (plain > 0)
			add_kept(transfer, str_slice(piece, at, at + plain),
				out);
		else
			add_character(transfer, piece.data[at], out);
		at += plain > 0 ? plain : 1;
	}
}

static void
end_quoted_printable(struct transfer *transfer, struct buf *out)
{
	if (transfer->after_cr)
		buf_add_char(out, '\r');
	else
		take_back(transfer, out);
	/* "=" at the very end is a soft line end that was cut off. */
	if (transfer->state == AFTER_DIGIT) {
		buf_add_char(out, '=');
		buf_add_char(out, transfer->digit);
	}
}

/* ---- all ---- */

void
transfer_init(struct transfer *transfer, enum transfer_encoding encoding,
	bool ends_lines)
{
	*transfer = (struct transfer){
		.encoding = encoding,
		.ends_lines = ends_lines,
		.state = PLAIN,
	};
}

void
transfer_add(struct transfer *transfer, struct str piece, struct buf *out)
{
	switch (transfer->encoding) {
	case TRANSFER_BASE64:
		add_base64(transfer, piece, out);
		break;
	case TRANSFER_QUOTED_PRINTABLE:
		add_quoted_printable(transfer, piece, out);
		break;
	case TRANSFER_IDENTITY:
	case TRANSFER_UNKNOWN:
		if (transfer->ends_lines)
			add_identity(transfer, piece, out);
		else
			buf_add(out, piece);
		break;
	}
}

void
transfer_end(struct transfer *transfer, struct buf *out)
{
	if (transfer->encoding == TRANSFER_QUOTED_PRINTABLE)
		end_quoted_printable(transfer, out);
}

void
transfer_decode(enum transfer_encoding encoding, struct str bytes,
	bool ends_lines, struct buf *out)
{
	struct transfer transfer;

	transfer_init(&transfer, encoding, ends_lines);
	transfer_add(&transfer, bytes, out);
	transfer_end(&transfer, out);
}
