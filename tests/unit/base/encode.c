/* SPDX-License-Identifier: MIT */
#include "base/encode.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *
own_arena(void)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_open();
	return arena;
}

/* RFC 4648 10. */
TEST(base64_gives_the_vectors_of_rfc_4648)
{
	static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="},
		{"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	struct str bytes;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(vectors); i++) {
		CHECK_STR_IS(encode_base64(own_arena(), str_from(vectors[i][0]),
				     true, false),
			vectors[i][1]);
		CHECK_INT(decode_base64(
				  own_arena(), str_from(vectors[i][1]), &bytes),
			0);
		CHECK_STR_IS(bytes, vectors[i][0]);
	}
}

TEST(base64_has_a_second_alphabet_and_may_lack_padding)
{
	struct str bytes;

	CHECK_STR_IS(encode_base64(own_arena(), STR("\xfb\xff"), true, false),
		"+/8=");
	CHECK_STR_IS(encode_base64(own_arena(), STR("\xfb\xff"), false, true),
		"-_8");
	CHECK_INT(decode_base64(own_arena(), STR("-_8"), &bytes), 0);
	CHECK_STR_IS(bytes, "\xfb\xff");
}

TEST(broken_base64_is_refused)
{
	static const char *const broken[] = {"Z", "Zm9vY",
		"Zg=", "Zg===", "Zm9v=", "Z!==", "Zm\n9v", "=Zg="};
	struct str bytes;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(broken); i++)
		CHECK_INT(
			decode_base64(own_arena(), str_from(broken[i]), &bytes),
			-1);
}

TEST(hexadecimal_digits_go_both_ways)
{
	struct str bytes;

	CHECK_STR_IS(
		encode_hex(own_arena(), str_of("\0\x7f\xff", 3)), "007fff");
	CHECK_INT(decode_hex(own_arena(), STR("007FfF"), &bytes), 0);
	CHECK_STR_EQUAL(bytes, str_of("\0\x7f\xff", 3));
	CHECK_INT(decode_hex(own_arena(), STR("0"), &bytes), -1);
	CHECK_INT(decode_hex(own_arena(), STR("0g"), &bytes), -1);
	CHECK_INT(decode_hex(own_arena(), STR(""), &bytes), 0);
}
