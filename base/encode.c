/* SPDX-License-Identifier: MIT */
#include "base/encode.h"

#include <stdint.h>

#include "base/memory.h"

#include "base/banned.h"

struct str
encode_hex(struct arena *arena, struct str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(arena, memory_product(bytes.len, 2) + 1);
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.data[i];

		text[2 * i] = digits[byte >> 4];
		text[2 * i + 1] = digits[byte & 15];
	}
	return str_of(text, bytes.len * 2);
}

int
decode_hex(struct arena *arena, struct str text, struct str *bytes_out)
{
	char *bytes = arena_alloc(arena, text.len / 2 + 1);
	size_t i;

	if (text.len % 2 != 0)
		return -1;
	for (i = 0; i < text.len / 2; i++) {
		int high = ascii_hex_value(text.data[2 * i]);
		int low = ascii_hex_value(text.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		bytes[i] = (char)(high << 4 | low);
	}
	*bytes_out = str_of(bytes, text.len / 2);
	return 0;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str
encode_base64(struct arena *arena, struct str bytes, bool padded, bool url)
{
	const char *digits = url ? base64_url_digits : base64_digits;
	char *text =
		arena_alloc(arena, memory_product(bytes.len / 3 + 1, 4) + 1);
	size_t i, j, len = 0;

	for (i = 0; i < bytes.len; i += 3) {
		size_t count = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t group = 0;

		for (j = 0; j < 3; j++)
			group = group << 8 |
			        (j < count ? (unsigned char)bytes.data[i + j]
					   : 0);
		for (j = 0; j < count + 1; j++)
			text[len++] = digits[group >> (18 - 6 * j) & 63];
		for (; padded && j < 4; j++)
			text[len++] = '=';
	}
	return str_of(text, len);
}

static int
base64_value(char c)
{
	struct str plain = str_of(base64_digits, 64);
	struct str url = str_of(base64_url_digits, 64);
	size_t at = str_find_char(plain, c);

	if (at == plain.len)
		at = str_find_char(url, c);
	return at < plain.len ? (int)at : -1;
}

int
decode_base64(struct arena *arena, struct str text, struct str *bytes_out)
{
	char *bytes = arena_alloc(arena, text.len / 4 * 3 + 3);
	uint32_t bits = 0;
	size_t i, len = 0, pads = 0;
	unsigned count = 0;

	while (pads < 2 && text.len > 0 && text.data[text.len - 1] == '=') {
		text.len--;
		pads++;
	}
	if (text.len % 4 == 1 || (pads > 0 && (text.len + pads) % 4 != 0))
		return -1;
	for (i = 0; i < text.len; i++) {
		int value = base64_value(text.data[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		count += 6;
		if (count >= 8) {
			count -= 8;
			bytes[len++] = (char)(bits >> count & 255);
		}
	}
	*bytes_out = str_of(bytes, len);
	return 0;
}
