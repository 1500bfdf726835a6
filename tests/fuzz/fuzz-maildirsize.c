/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "quota/maildirsize.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Limits that are written are read again as what they are. */
static void
check_limits(const struct quota_limits *limits)
{
	struct maildirsize again;
	struct buf text;

	buf_init(&text, BUF_UNLIMITED);
	maildirsize_limits(&text, limits);
	buf_add_char(&text, '\n');
	if (!maildirsize_parse(buf_view(&text), &again) ||
		again.limits.bytes != limits->bytes ||
		again.limits.messages != limits->messages || again.lines != 0)
		abort();
	buf_clear(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_of((const char *)data, size);
	struct maildirsize file;

	if (!maildirsize_parse(text, &file))
		return 0;
	/* A sum is of what lines say: none, or one that is not negative. */
	if (file.use.bytes > INT64_MAX || file.use.messages > INT64_MAX ||
		(file.lines == 0 &&
			(file.use.bytes > 0 || file.use.messages > 0)))
		abort();
	check_limits(&file.limits);
	return 0;
}
