/* SPDX-License-Identifier: MIT */
#include "tests/lib/escape.h"

#include <stdint.h>
#include <string.h>

#include "base/number.h"

#include "base/banned.h"

static unsigned
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	return c != '\0' && at != NULL ? (unsigned)(at - digits) : 0;
}

/* {N}{TEXT}; the result is what stands behind it. */
static struct str
repeat(struct buf *out, struct str text)
{
	size_t close = str_find_char(text, '}');
	struct str body = str_skip(text, close + 2);
	size_t end = str_find_char(body, '}');
	uint64_t times;

	if (number_parse(str_slice(text, 1, close), &times) < 0)
		times = 0;
	while (times-- > 0)
		escape_decode(out, str_slice(body, 0, end));
	return str_skip(body, end + 1);
}

void
escape_decode(struct buf *out, struct str text)
{
	while (text.len > 0) {
		char c = text.data[0];

		if (c != '\\' || text.len < 2) {
			buf_add_char(out, c);
			text = str_skip(text, 1);
			continue;
		}
		c = text.data[1];
		text = str_skip(text, 2);
		if (c == 'x' && text.len >= 2) {
			buf_add_char(out, (char)(hex_digit(text.data[0]) * 16 +
						  hex_digit(text.data[1])));
			text = str_skip(text, 2);
		} else if (c == '{') {
			text = repeat(out, str_of(text.data - 1, text.len + 1));
		} else {
			buf_add_char(out, c == 'r'   ? '\r'
					  : c == 'n' ? '\n'
					  : c == 't' ? '\t'
					  : c == '0' ? '\0'
						     : c);
		}
	}
}
