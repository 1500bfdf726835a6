/* SPDX-License-Identifier: MIT */
#include "base/session_id.h"

#include <stddef.h>

#include "base/clock.h"

#include "base/banned.h"

void
session_id_make(char id[SESSION_ID_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char bytes[SESSION_ID_LEN];
	size_t i;

	clock_random(bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		id[i] = digits[bytes[i] & 63];
	id[i] = '\0';
}
