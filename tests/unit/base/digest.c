/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const char *
hex_of(enum digest_kind kind, const char *text)
{
	static char digits[2 * DIGEST_MAX + 1];
	struct arena *arena = arena_open();
	uint8_t result[DIGEST_MAX];
	struct str hex;

	digest_of(kind, str_from(text), result);
	hex = encode_hex(
		arena, str_of((const char *)result, digest_size(kind)));
	memcpy(digits, hex.data, hex.len);
	digits[hex.len] = '\0';
	arena_close(&arena);
	return digits;
}

/* RFC 1321 A.5. */
TEST(md5_gives_the_digests_of_rfc_1321)
{
	static const char *const vectors[][2] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz",
			"c3fcd3d76192e4007dfb496cca67e13b"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		 "0123456789",
			"d174ab98d277d9f5a5611c2c9f419d9f"},
		{"1234567890123456789012345678901234567890123456789012345"
		 "6789012345678901234567890",
			"57edf4a22be3c955ac49da2e2107b67a"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(vectors); i++)
		CHECK_STR(hex_of(DIGEST_MD5, vectors[i][0]), vectors[i][1]);
}

/* RFC 3174 7.3, tests 1 and 2. */
TEST(sha1_gives_the_digests_of_rfc_3174)
{
	CHECK_STR(hex_of(DIGEST_SHA1, "abc"),
		"a9993e364706816aba3e25717850c26c9cd0d89d");
	CHECK_STR(hex_of(DIGEST_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljkl"
				      "mklmnlmnomnopnopq"),
		"84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

/* RFC 6234 8.5, tests 1 and 2. */
TEST(sha256_gives_the_digests_of_rfc_6234)
{
	CHECK_STR(hex_of(DIGEST_SHA256, "abc"),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
		"ad");
	CHECK_STR(hex_of(DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkl"
					"jklmklmnlmnomnopnopq"),
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06"
		"c1");
}

/* RFC 6234 8.5, tests 1 and 2. */
TEST(sha512_gives_the_digests_of_rfc_6234)
{
	CHECK_STR(hex_of(DIGEST_SHA512, "abc"),
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d3"
		"9a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54c"
		"a49f");
	CHECK_STR(hex_of(DIGEST_SHA512,
			  "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghij"
			  "klmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
			  "nopqrstu"),
		"8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb68890"
		"18501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874b"
		"e909");
}

/* RFC 3174 7.3 and RFC 6234 8.5, test 3: a million times "a". */
static void
check_million(enum digest_kind kind, const char *expected)
{
	struct arena *arena = arena_open();
	uint8_t result[DIGEST_MAX];
	struct digest digest;
	char block[1000];
	int i;

	memset(block, 'a', sizeof(block));
	digest_init(&digest, kind);
	for (i = 0; i < 1000; i++)
		digest_add(&digest, str_of(block, sizeof(block)));
	digest_end(&digest, result);
	CHECK_STR_IS(encode_hex(arena,
			     str_of((const char *)result, digest_size(kind))),
		expected);
	arena_close(&arena);
}

TEST(a_million_bytes_in_parts_give_the_digests_of_the_rfcs)
{
	check_million(DIGEST_SHA1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	check_million(DIGEST_SHA256,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112c"
		"d0");
}

/* The length of the last block decides whether padding needs one more. */
TEST(every_length_around_a_block_is_the_same_in_one_piece_and_byte_by_byte)
{
	static const enum digest_kind kinds[] = {
		DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512};
	uint8_t whole[DIGEST_MAX], parts[DIGEST_MAX];
	struct digest digest;
	char text[300];
	size_t kind, len, i;

	memset(text, 'x', sizeof(text));
	for (kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
		for (len = 0; len <= sizeof(text); len++) {
			digest_of(kinds[kind], str_of(text, len), whole);
			digest_init(&digest, kinds[kind]);
			for (i = 0; i < len; i++)
				digest_add(&digest, str_of(text + i, 1));
			digest_end(&digest, parts);
			if (!CHECK(memcmp(whole, parts,
					   digest_size(kinds[kind])) == 0))
				return;
		}
	}
}

TEST(only_the_four_names_are_known)
{
	enum digest_kind kind = DIGEST_MD5;

	CHECK(digest_find(STR("sha512"), &kind));
	CHECK_INT(kind, DIGEST_SHA512);
	CHECK(!digest_find(STR("sha3"), &kind));
	CHECK(!digest_find(STR("MD5"), &kind));
	CHECK(!digest_find(STR(""), &kind));
}
