/* SPDX-License-Identifier: MIT */
#include "base/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/buf.h"
#include "base/utf8.h"

#include "base/banned.h"

enum { OUTPUT_STEP = 4096 };

enum own_charset { OWN_UTF8, OWN_LATIN1, OWN_WINDOWS_1252 };

/* 8 bit bytes in ASCII are most often UTF-8 by a program that does not know. */
static const struct {
	const char *name;
	enum own_charset charset;
} own_charsets[] = {
	{"utf-8", OWN_UTF8},
	{"utf8", OWN_UTF8},
	{"us-ascii", OWN_UTF8},
	{"ascii", OWN_UTF8},
	{"ansi_x3.4-1968", OWN_UTF8},
	{"iso-8859-1", OWN_LATIN1},
	{"iso8859-1", OWN_LATIN1},
	{"iso_8859-1", OWN_LATIN1},
	{"latin1", OWN_LATIN1},
	{"windows-1252", OWN_WINDOWS_1252},
	{"cp1252", OWN_WINDOWS_1252},
};

/* Supersets stand in where senders use the smaller one's name for them. */
static const struct {
	const char *name;
	const char *known_name;
} aliases[] = {
	{"ks_c_5601-1987", "CP949"},
	{"ks_c_5601", "CP949"},
	{"ksc5601", "CP949"},
	{"euc-kr", "CP949"},
	{"x-windows-949", "CP949"},
	{"x-sjis", "CP932"},
	{"shift_jis", "CP932"},
	{"shift-jis", "CP932"},
	{"sjis", "CP932"},
	{"x-euc-jp", "EUC-JP"},
	{"gb2312", "GB18030"},
	{"gbk", "GB18030"},
	{"x-gbk", "GB18030"},
	{"x-big5", "BIG5"},
	{"x-x-big5", "BIG5"},
	{"iso-8859-8-i", "ISO-8859-8"},
	{"iso-8859-8-e", "ISO-8859-8"},
	{"iso-8859-6-i", "ISO-8859-6"},
	{"iso-8859-6-e", "ISO-8859-6"},
	{"cp-850", "CP850"},
	{"windows-874", "CP874"},
	{"x-mac-roman", "MACINTOSH"},
	{"x-macroman", "MACINTOSH"},
	{"x-mac-cyrillic", "MAC-CYRILLIC"},
	{"unicode-1-1-utf-7", "UTF-7"},
};

/* Bytes 0x80 to 0x9f; 0 where there is nothing. */
static const uint16_t windows_1252[] = {0x20ac, 0, 0x201a, 0x0192, 0x201e,
	0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
	0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};

static struct str
keep(struct arena *arena, struct buf *buf)
{
	struct str text = arena_copy(arena, buf_view(buf));

	buf_clear(buf);
	return text;
}

static struct str
from_utf8(struct arena *arena, struct str bytes)
{
	struct buf buf;

	if (utf8_is_valid(bytes))
		return bytes;
	buf_init(&buf, BUF_UNLIMITED);
	utf8_add_repaired(&buf, bytes);
	return keep(arena, &buf);
}

static uint32_t
windows_1252_code(unsigned char byte)
{
	uint32_t code = byte;

	if (byte >= 0x80 && byte < 0xa0)
		code = windows_1252[byte - 0x80];
	return code != 0 || byte == 0 ? code : UTF8_REPLACEMENT;
}

static struct str
from_single_bytes(
	struct arena *arena, struct str bytes, enum own_charset charset)
{
	struct buf buf;
	size_t i;

	if (utf8_is_ascii(bytes))
		return bytes;
	buf_init(&buf, BUF_UNLIMITED);
	for (i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.data[i];

		utf8_add(&buf,
			charset == OWN_LATIN1 ? byte : windows_1252_code(byte));
	}
	return keep(arena, &buf);
}

static bool
convert_own(struct arena *arena, struct str charset, struct str bytes,
	struct str *text_out)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(own_charsets); i++) {
		if (!str_is_nocase(charset, own_charsets[i].name))
			continue;
		*text_out = own_charsets[i].charset == OWN_UTF8
		                    ? from_utf8(arena, bytes)
		                    : from_single_bytes(arena, bytes,
					      own_charsets[i].charset);
		return true;
	}
	return false;
}

/* iconv_open() takes more than names: "//IGNORE", paths, "" for the locale's. */
static bool
is_name(struct str charset)
{
	size_t i;

	if (charset.len == 0 || charset.len > CHARSET_NAME_MOST)
		return false;
	for (i = 0; i < charset.len; i++) {
		char c = charset.data[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
			(c == '\0' || strchr("-_.:+()", c) == NULL))
			return false;
	}
	return true;
}

static iconv_t
open_converter(struct str charset)
{
	char name[CHARSET_NAME_MOST + 1];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(aliases); i++)
		if (str_is_nocase(charset, aliases[i].name))
			return iconv_open("UTF-8", aliases[i].known_name);
	memcpy(name, charset.data, charset.len);
	name[charset.len] = '\0';
	return iconv_open("UTF-8", name);
}

/* Converts what it can; a byte that cannot be is replaced.  The converter is not
 * flushed there: that would end a shift (ISO 2022) as well.  So a letter that
 * waits for its points (Windows-1255) comes behind the replacement. */
static void
convert_all(iconv_t converter, struct str bytes, struct buf *out)
{
	/* iconv() does not write to its input. */
	char *in = (char *)(uintptr_t)bytes.data;
	size_t left = bytes.len;
	bool is_flushing = false;

	for (;;) {
		char *start = buf_reserve(out, OUTPUT_STEP), *end = start;
		size_t room = OUTPUT_STEP, result;

		if (start == NULL)
			return;
		if (is_flushing)
			result = iconv(converter, NULL, NULL, &end, &room);
		else
			result = iconv(converter, &in, &left, &end, &room);
		out->len += (size_t)(end - start);
		if (result != (size_t)-1) {
			if (is_flushing)
				return;
			is_flushing = true;
		} else if (errno == E2BIG) {
			continue;
		} else if (left > 0 && !is_flushing) {
			utf8_add(out, UTF8_REPLACEMENT);
			in++;
			left--;
		} else {
			return;
		}
	}
}

static bool
convert_by_libc(struct arena *arena, struct str charset, struct str bytes,
	struct str *text_out)
{
	iconv_t converter;
	struct buf buf;
	struct str text;

	if (!is_name(charset))
		return false;
	converter = open_converter(charset);
	if (converter == (iconv_t)-1)
		return false;
	buf_init(&buf, BUF_UNLIMITED);
	convert_all(converter, bytes, &buf);
	iconv_close(converter);
	text = keep(arena, &buf);
	*text_out = from_utf8(arena, text);
	return true;
}

bool
charset_to_utf8(struct arena *arena, struct str charset, struct str bytes,
	struct str *text_out)
{
	return convert_own(arena, charset, bytes, text_out) ||
	       convert_by_libc(arena, charset, bytes, text_out);
}
