/* SPDX-License-Identifier: MIT */
#include "store/utf7.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#include "base/banned.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* A base64 run: UTF-16 units in one, bits of them in the other direction. */
struct run {
	uint32_t bits;
	unsigned count; /* of bits not used yet */
};

static bool
is_direct(uint32_t code)
{
	return code >= 0x20 && code <= 0x7e;
}

static void
add_unit(struct buf *buf, struct run *run, uint32_t unit)
{
	run->bits = run->bits << 16 | unit;
	run->count += 16;
	while (run->count >= 6) {
		run->count -= 6;
		buf_add_char(buf, digits[run->bits >> run->count & 63]);
	}
}

static void
add_code(struct buf *buf, struct run *run, uint32_t code)
{
	if (code < 0x10000) {
		add_unit(buf, run, code);
		return;
	}
	code -= 0x10000;
	add_unit(buf, run, 0xd800 | code >> 10);
	add_unit(buf, run, 0xdc00 | (code & 0x3ff));
}

static void
end_run(struct buf *buf, struct run *run)
{
	if (run->count > 0)
		buf_add_char(buf, digits[run->bits << (6 - run->count) & 63]);
	buf_add_char(buf, '-');
	*run = (struct run){0, 0};
}

bool
utf7_encode(struct buf *buf, struct str text)
{
	struct run run = {0, 0};
	bool in_run = false;
	size_t at = 0;
	uint32_t code;

	while (utf8_next(text, &at, &code)) {
		if (is_direct(code) == in_run) {
			in_run = !in_run;
			if (in_run)
				buf_add_char(buf, '&');
			else
				end_run(buf, &run);
		}
		if (in_run)
			add_code(buf, &run, code);
		else if (code == '&')
			buf_add_text(buf, "&-");
		else
			buf_add_char(buf, (char)code);
	}
	if (in_run)
		end_run(buf, &run);
	return at == text.len;
}

/* The next UTF-16 unit of a base64 run; false when no whole one is left. */
static bool
next_unit(struct str base64, size_t *at, struct run *run, uint32_t *unit_out)
{
	while (run->count < 16) {
		const char *digit;

		if (*at >= base64.len || base64.data[*at] == '\0')
			return false;
		digit = strchr(digits, base64.data[*at]);
		if (digit == NULL)
			return false;
		run->bits = run->bits << 6 | (uint32_t)(digit - digits);
		run->count += 6;
		++*at;
	}
	run->count -= 16;
	*unit_out = run->bits >> run->count & 0xffff;
	return true;
}

static bool
decode_run(struct buf *buf, struct str base64)
{
	struct run run = {0, 0};
	size_t at = 0;
	uint32_t code, low;

	while (next_unit(base64, &at, &run, &code)) {
		if (code >= 0xd800 && code <= 0xdbff) {
			if (!next_unit(base64, &at, &run, &low) ||
				low < 0xdc00 || low > 0xdfff)
				return false;
			code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
		}
		if (!utf8_add(buf, code))
			return false;
	}
	return at == base64.len;
}

static bool
decode_any(struct buf *buf, struct str name)
{
	while (name.len > 0) {
		size_t shift = str_find_char(name, '&'), end;

		buf_add(buf, str_slice(name, 0, shift));
		name = str_skip(name, shift);
		if (name.len == 0)
			break;
		end = str_find_char(name, '-');
		if (end == name.len)
			return false;
		if (end == 1)
			buf_add_char(buf, '&');
		else if (!decode_run(buf, str_slice(name, 1, end)))
			return false;
		name = str_skip(name, end + 1);
	}
	return true;
}

bool
utf7_decode(struct buf *buf, struct str name)
{
	size_t start = buf->len;
	struct buf spelled;
	bool good;

	/* Whatever else could be read as some text (ASCII in base64, two runs
	 * in a row, bits left over) is a second spelling of it. */
	buf_init(&spelled, BUF_UNLIMITED);
	good = decode_any(buf, name) &&
	       utf7_encode(&spelled, str_skip(buf_view(buf), start)) &&
	       str_equal(buf_view(&spelled), name);
	buf_clear(&spelled);
	if (!good && buf->data != NULL) {
		buf->len = start;
		buf->data[start] = '\0';
	}
	return good;
}
