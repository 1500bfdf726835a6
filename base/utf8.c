/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include "base/banned.h"

bool
utf8_next(struct str s, size_t *at, uint32_t *code_out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)s.data + *at;
	size_t len, i;
	uint32_t code;

	if (*at >= s.len)
		return false;
	if (byte[0] < 0x80) {
		*code_out = byte[0];
		*at += 1;
		return true;
	}
	if (byte[0] >= 0xc2 && byte[0] <= 0xdf)
		len = 2;
	else if ((byte[0] & 0xf0) == 0xe0)
		len = 3;
	else if (byte[0] >= 0xf0 && byte[0] <= 0xf4)
		len = 4;
	else
		return false;
	if (s.len - *at < len)
		return false;
	code = byte[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return false;
		code = code << 6 | (byte[i] & 0x3f);
	}
	if (code < smallest[len] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return false;
	*code_out = code;
	*at += len;
	return true;
}

/* Bytes of ASCII from `at` on, eight at a time. */
static size_t
ascii_length(struct str s, size_t at)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t from = at;
	uint64_t eight;

	while (s.len - at >= sizeof(eight)) {
		memcpy(&eight, s.data + at, sizeof(eight));
		if ((eight & high) != 0)
			break;
		at += sizeof(eight);
	}
	while (at < s.len && (unsigned char)s.data[at] < 0x80)
		at++;
	return at - from;
}

bool
utf8_is_valid(struct str s)
{
	size_t at = 0;
	uint32_t code;

	for (;;) {
		at += ascii_length(s, at);
		if (at == s.len)
			return true;
		if (!utf8_next(s, &at, &code))
			return false;
	}
}

bool
utf8_is_ascii(struct str s)
{
	return ascii_length(s, 0) == s.len;
}

bool
utf8_add(struct buf *buf, uint32_t code)
{
	char bytes[4];
	size_t len;

	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return false;
	if (code < 0x80) {
		bytes[0] = (char)code;
		len = 1;
	} else if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		len = 2;
	} else if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		len = 3;
	} else {
		bytes[0] = (char)(0xf0 | code >> 18);
		len = 4;
	}
	for (size_t i = len - 1; i > 0; i--) {
		bytes[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	buf_add(buf, str_of(bytes, len));
	return true;
}

void
utf8_add_repaired(struct buf *buf, struct str s)
{
	size_t at = 0, good = 0;
	uint32_t code;

	while (at < s.len) {
		if (utf8_next(s, &at, &code))
			continue;
		buf_add(buf, str_slice(s, good, at));
		utf8_add(buf, UTF8_REPLACEMENT);
		good = ++at;
	}
	buf_add(buf, str_slice(s, good, at));
}

size_t
utf8_count(struct str s)
{
	size_t at = 0, count = 0;
	uint32_t code;

	for (; at < s.len; count++)
		if (!utf8_next(s, &at, &code))
			at++;
	return count;
}

struct str
utf8_first(struct str s, size_t count)
{
	size_t at = 0;
	uint32_t code;

	for (; at < s.len && count > 0; count--)
		if (!utf8_next(s, &at, &code))
			at++;
	return str_slice(s, 0, at);
}

struct str
utf8_cut(struct str s, size_t bytes)
{
	if (s.len <= bytes)
		return s;
	/* Back to a byte that begins a code point. */
	while (bytes > 0 && ((unsigned char)s.data[bytes] & 0xc0) == 0x80)
		bytes--;
	return str_of(s.data, bytes);
}
