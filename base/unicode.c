/* SPDX-License-Identifier: MIT */
#include "base/unicode.h"

#include <utf8proc.h>

#include "base/buf.h"
#include "base/utf8.h"

#include "base/banned.h"

static void
add_mapped(struct buf *out, struct str s,
	utf8proc_int32_t (*map)(utf8proc_int32_t))
{
	size_t at = 0;
	uint32_t code;

	while (at < s.len) {
		if (!utf8_next(s, &at, &code)) {
			buf_add_char(out, s.data[at++]);
			continue;
		}
		utf8_add(out, (uint32_t)map((utf8proc_int32_t)code));
	}
}

static struct str
mapped(struct arena *arena, struct str s,
	utf8proc_int32_t (*map)(utf8proc_int32_t))
{
	struct buf out;
	struct str result;

	buf_init(&out, BUF_UNLIMITED);
	add_mapped(&out, s, map);
	result = arena_copy(arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

struct str
unicode_lower(struct arena *arena, struct str s)
{
	/* By far the most names need no table. */
	if (utf8_is_ascii(s))
		return arena_lower(arena, s);
	return mapped(arena, s, utf8proc_tolower);
}

struct str
unicode_upper(struct arena *arena, struct str s)
{
	return mapped(arena, s, utf8proc_toupper);
}

/* ---- i;unicode-casemap ---- */

enum { MOST_DECOMPOSED = 32 };

static bool
is_hangul_syllable(utf8proc_int32_t code)
{
	return code >= 0xac00 && code <= 0xd7a3;
}

static void
add_decomposed(struct buf *out, utf8proc_int32_t code)
{
	utf8proc_int32_t parts[MOST_DECOMPOSED];
	utf8proc_ssize_t count = -1, i;

	if (!is_hangul_syllable(code))
		count = utf8proc_decompose_char(code, parts, MOST_DECOMPOSED,
			UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, NULL);
	if (count < 0 || count > MOST_DECOMPOSED) {
		utf8_add(out, (uint32_t)code);
		return;
	}
	for (i = 0; i < count; i++)
		utf8_add(out, (uint32_t)parts[i]);
}

/* Adds the form of what stands at *at and moves behind it. */
static void
add_casemapped(struct buf *out, struct str s, size_t *at)
{
	uint32_t code;

	if (!utf8_next(s, at, &code))
		buf_add_char(out, s.data[(*at)++]);
	else if (code < 0x80)
		buf_add_char(out, ascii_upper((char)code));
	else
		add_decomposed(out, utf8proc_totitle((utf8proc_int32_t)code));
}

struct str
unicode_casemap(struct arena *arena, struct str s)
{
	struct buf out;
	struct str result;
	size_t at = 0;

	buf_init(&out, BUF_UNLIMITED);
	while (at < s.len)
		add_casemapped(&out, s, &at);
	result = arena_copy(arena, buf_view(&out));
	buf_clear(&out);
	return result;
}

const size_t *
unicode_casemap_places(struct arena *arena, struct str s)
{
	size_t *places =
		ARENA_ARRAY(arena, size_t, unicode_casemap(arena, s).len + 1);
	struct buf out;
	size_t at = 0, len = 0, i;

	buf_init(&out, BUF_UNLIMITED);
	while (at < s.len) {
		size_t from = at;

		buf_reset(&out);
		add_casemapped(&out, s, &at);
		for (i = 0; i < out.len; i++)
			places[len++] = from;
	}
	places[len] = s.len;
	buf_clear(&out);
	return places;
}
