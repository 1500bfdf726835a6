/* Modified UTF-7: what is read as a name has one spelling; every text can be
 * written and is read back the same.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "store/utf7.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_as_name(struct str name)
{
	struct buf text, again;

	buf_init(&text, BUF_UNLIMITED);
	buf_init(&again, BUF_UNLIMITED);
	if (utf7_decode(&text, name)) {
		if (!utf8_is_valid(buf_view(&text)))
			BUG("read something that is not UTF-8");
		if (!utf7_encode(&again, buf_view(&text)) ||
			!str_equal(buf_view(&again), name))
			BUG("a second spelling was read");
	} else if (text.len != 0) {
		BUG("something is left of a name that was not read");
	}
	buf_clear(&text);
	buf_clear(&again);
}

static void
check_as_text(struct str text)
{
	struct buf name, again;

	buf_init(&name, BUF_UNLIMITED);
	buf_init(&again, BUF_UNLIMITED);
	if (utf7_encode(&name, text) != utf8_is_valid(text))
		BUG("UTF-8 and what can be written differ");
	if (utf8_is_valid(text) && (!utf7_decode(&again, buf_view(&name)) ||
					   !str_equal(buf_view(&again), text)))
		BUG("a text was not read back");
	buf_clear(&name);
	buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_of((const char *)data, size);

	check_as_name(input);
	check_as_text(input);
	return 0;
}
