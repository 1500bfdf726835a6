/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/utf8.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was repaired is valid and stays as it is when repaired again. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_of((const char *)data, size);
	struct buf once, twice;
	size_t cut;

	buf_init(&once, BUF_UNLIMITED);
	buf_init(&twice, BUF_UNLIMITED);
	utf8_add_repaired(&once, s);
	utf8_add_repaired(&twice, buf_view(&once));
	if (!utf8_is_valid(buf_view(&once)) ||
		!str_equal(buf_view(&once), buf_view(&twice)) ||
		utf8_count(s) != utf8_count(buf_view(&once)))
		abort();
	for (cut = 0; cut <= once.len && cut < 16; cut++)
		if (!utf8_is_valid(utf8_cut(buf_view(&once), cut)))
			abort();
	buf_clear(&once);
	buf_clear(&twice);
	return 0;
}
