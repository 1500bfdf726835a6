/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "base/attributes.h"
#include "base/charset.h"
#include "base/utf8.h"
#include "mail/encodedword.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* UTF-8 stays UTF-8, blanks are trimmed. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = {"utf-8", "iso-8859-1",
		"windows-1252", "koi8-r", "iso-2022-jp", "utf-7", "utf-16",
		"gb2312", "euc-kr", "big5", "euc-tw", "iso-2022-kr"};
	struct str value = str_of((const char *)data, size), text, unfolded;
	struct arena *arena = arena_open();
	const char *charset;

	unfolded = encodedword_unfold(arena, value);
	if (!str_equal(unfolded, str_trim(unfolded)))
		abort();
	text = encodedword_decode(arena, value);
	if (utf8_is_valid(value) && !utf8_is_valid(text))
		abort();
	/* One of them; opening each takes long. */
	charset = charsets[size % ARRAY_LENGTH(charsets)];
	if (charset_to_utf8(arena, str_from(charset), value, &text) &&
		!utf8_is_valid(text))
		abort();
	arena_close(&arena);
	return 0;
}
