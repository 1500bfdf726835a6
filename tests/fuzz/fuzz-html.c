/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "mail/html.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* UTF-8 stays UTF-8, and text does not grow but for its line ends. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str html = str_of((const char *)data, size), text;
	struct arena *arena = arena_open();

	text = html_to_text(arena, html);
	if (text.len > 2 * size)
		abort();
	if (utf8_is_valid(html) && !utf8_is_valid(text))
		abort();
	arena_close(&arena);
	return 0;
}
