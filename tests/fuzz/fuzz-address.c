/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "mail/address.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
has_control(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] < ' ' || s.data[i] == 127)
			return true;
	return false;
}

/* What was read is read in the same way again. */
static void
check_list(struct arena *arena, struct str value)
{
	const struct address *list, *again;
	size_t count = address_parse_list(arena, value, 1000, &list), i;

	for (i = 0; i < count; i++) {
		if (list[i].is_broken || list[i].is_null)
			continue;
		require(!has_control(list[i].text));
		/* Without a domain it may look like more than it is. */
		if (list[i].domain.len == 0)
			continue;
		require(address_parse_list(arena, list[i].text, 2, &again) ==
			1);
		require(!again[0].is_broken);
		require(str_equal(again[0].text, list[i].text));
		require(str_equal(again[0].local_part, list[i].local_part));
		require(str_equal(again[0].domain, list[i].domain));
	}
}

/* A path that passed has no control character and passes again. */
static void
check_path(struct arena *arena, struct str path, unsigned flags)
{
	struct address address, again;
	struct err err;

	if (address_parse_path(arena, path, flags, &address, &err) < 0) {
		require(err.kind == ERR_USAGE && err.text[0] != '\0');
		require(!has_control(str_from(err.text)));
		return;
	}
	require(!has_control(address.text));
	require(!has_control(address.local_part));
	require(address.is_null == (address.text.len == 0));
	require(address_parse_path(arena, address.text,
			ADDRESS_NULL_ALLOWED | ADDRESS_LOCAL_ALLOWED |
				ADDRESS_BRACKETS_OPTIONAL,
			&again, &err) == 0);
	require(str_equal(again.local_part, address.local_part));
	require(str_equal(again.domain, address.domain));
	require(str_equal(again.text, address.text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open();
	unsigned flags;

	check_list(arena, str_of((const char *)data, size));
	for (flags = 0; flags < 16; flags++)
		check_path(arena, str_of((const char *)data, size), flags);
	arena_close(&arena);
	return 0;
}
