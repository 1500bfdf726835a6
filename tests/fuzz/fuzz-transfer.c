/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "mail/transfer.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(enum transfer_encoding encoding, struct str in, size_t step,
	struct buf *out)
{
	struct transfer transfer;

	buf_init(out, 2 * in.len + 3);
	transfer_init(&transfer, encoding, in.len % 2 == 0);
	while (in.len > 0) {
		transfer_add(&transfer, str_slice(in, 0, step), out);
		in = str_skip(in, step);
	}
	transfer_end(&transfer, out);
	if (out->overflowed)
		abort();
}

/* Pieces of any length give the same bytes. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	int encoding;

	for (encoding = TRANSFER_IDENTITY; encoding <= TRANSFER_UNKNOWN;
		encoding++) {
		struct buf whole, pieces;

		decode((enum transfer_encoding)encoding, in, size + 1, &whole);
		decode((enum transfer_encoding)encoding, in, 1 + size % 7,
			&pieces);
		if (!str_equal(buf_view(&whole), buf_view(&pieces)))
			abort();
		buf_clear(&whole);
		buf_clear(&pieces);
	}
	return 0;
}
