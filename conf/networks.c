/* SPDX-License-Identifier: MIT */
#include "conf/networks.h"

#include <string.h>

#include "base/banned.h"

/* The first `bits` are the same. */
static bool
bits_are_same(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	unsigned mask = 0xff00U >> rest & 0xffU;

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool
conf_networks_have(const struct conf_networks *networks, bool is_v6,
	const unsigned char *address)
{
	size_t i;

	for (i = 0; i < networks->count; i++) {
		const struct conf_network *network = &networks->items[i];

		if (network->is_v6 == is_v6 &&
			bits_are_same(address, network->address, network->bits))
			return true;
	}
	return false;
}
