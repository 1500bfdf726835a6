/* SPDX-License-Identifier: MIT */
#include "base/session_id.h"

#include <string.h>

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(a_session_id_is_22_letters_of_base64)
{
	char id[SESSION_ID_LEN + 1];

	session_id_make(id);
	CHECK_INT(strlen(id), 22);
	CHECK_INT(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/"),
		22);
}

TEST(no_session_has_the_id_of_another)
{
	char first[SESSION_ID_LEN + 1], second[SESSION_ID_LEN + 1];

	session_id_make(first);
	session_id_make(second);
	CHECK(strcmp(first, second) != 0);
}
