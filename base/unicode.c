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
