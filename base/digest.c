/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <string.h>

#include "base/attributes.h"

#include "base/banned.h"

/* How the four differ outside of their compression functions. */
struct method {
	const char *name;
	size_t size;         /* of the result */
	size_t block;        /* bytes compressed at a time */
	size_t length_bytes; /* of the bit count at the end */
	bool big_endian;
	bool wide; /* 64-bit words */
	uint64_t start[8];
	void (*compress)(struct digest *digest);
};

static void compress_md5(struct digest *digest);
static void compress_sha1(struct digest *digest);
static void compress_sha256(struct digest *digest);
static void compress_sha512(struct digest *digest);

static const struct method methods[] = {
	[DIGEST_MD5] = {"md5", 16, 64, 8, false, false,
		{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}, compress_md5},
	[DIGEST_SHA1] = {"sha1", 20, 64, 8, true, false,
		{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
		compress_sha1},
	[DIGEST_SHA256] = {"sha256", 32, 64, 8, true, false,
		{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
			0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
		compress_sha256},
	[DIGEST_SHA512] = {"sha512", 64, 128, 16, true, true,
		{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
			0xa54ff53a5f1d36f1, 0x510e527fade682d1,
			0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b,
			0x5be0cd19137e2179},
		compress_sha512},
};

/* RFC 1321 3.4: floor(2^32 * abs(sin(i + 1))). */
static const uint32_t md5_sines[64] = {0xd76aa478, 0xe8c7b756, 0x242070db,
	0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8,
	0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e,
	0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
	0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
	0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60,
	0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039,
	0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7,
	0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 0x6fa87e4f,
	0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391};

static const uint8_t md5_turns[4][4] = {
	{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/* RFC 6234 5.1 and 5.2; SHA-256 uses the upper halves of the first 64. */
static const uint64_t sha2_constants[80] = {0x428a2f98d728ae22,
	0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b,
	0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
	0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f,
	0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5,
	0x240ca1cc77ac9c65, 0x2de92c6f592b0275, 0x4a7484aa6ea6e483,
	0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
	0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f,
	0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926,
	0x4d2c6dfc5ac42aed, 0x53380d139d95b3df, 0x650a73548baf63de,
	0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791,
	0xc76c51a30654be30, 0xd192e819d6ef5218, 0xd69906245565a910,
	0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8,
	0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
	0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60,
	0x84c87814a1f0ab72, 0x8cc702081a6439ec, 0x90befffa23631e28,
	0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e,
	0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
	0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84,
	0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec,
	0x6c44198c4a475817};

static uint32_t
left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t
right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint64_t
right_long(uint64_t x, unsigned n)
{
	return x >> n | x << (64 - n);
}

static uint64_t
get_big(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Spelled out, as compilers make one instruction of it. */
static uint64_t
get_big_long(const uint8_t *bytes)
{
	return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 |
	       (uint64_t)bytes[2] << 40 | (uint64_t)bytes[3] << 32 |
	       (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 |
	       (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7];
}

static uint32_t
get_little(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
	       (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void
put(uint8_t *bytes, size_t count, uint64_t value, bool big_endian)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bytes[big_endian ? count - 1 - i : i] = (uint8_t)value;
		value >>= 8;
	}
}

/* RFC 1321 3.4: the function and the word of one step. */
static uint32_t
md5_mix(unsigned step, const uint32_t s[4], unsigned *word_out)
{
	uint32_t b = s[1], c = s[2], d = s[3];

	switch (step / 16) {
	case 0:
		*word_out = step;
		return (b & c) | (~b & d);
	case 1:
		*word_out = (5 * step + 1) % 16;
		return (b & d) | (c & ~d);
	case 2:
		*word_out = (3 * step + 5) % 16;
		return b ^ c ^ d;
	default:
		*word_out = 7 * step % 16;
		return c ^ (b | ~d);
	}
}

static void
compress_md5(struct digest *digest)
{
	uint32_t *state = digest->state.words;
	uint32_t s[4], x[16];
	unsigned i, word;

	for (i = 0; i < 16; i++)
		x[i] = get_little(digest->block + 4 * i);
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 64; i++) {
		uint32_t mixed = md5_mix(i, s, &word);
		uint32_t sum = s[0] + mixed + x[word] + md5_sines[i];

		s[0] = s[3];
		s[3] = s[2];
		s[2] = s[1];
		s[1] += left(sum, md5_turns[i / 16][i % 4]);
	}
	for (i = 0; i < 4; i++)
		state[i] += s[i];
}

/* RFC 3174 5: the function and the constant of one step. */
static uint32_t
sha1_mix(unsigned step, const uint32_t s[5])
{
	uint32_t b = s[1], c = s[2], d = s[3];

	if (step < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (step < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (step < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void
compress_sha1(struct digest *digest)
{
	uint32_t *state = digest->state.words;
	uint32_t s[5], w[80];
	unsigned i;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)get_big(digest->block + 4 * i, 4);
	for (; i < 80; i++)
		w[i] = left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 80; i++) {
		uint32_t sum = left(s[0], 5) + sha1_mix(i, s) + s[4] + w[i];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = left(s[1], 30);
		s[1] = s[0];
		s[0] = sum;
	}
	for (i = 0; i < 5; i++)
		state[i] += s[i];
}

static void
compress_sha256(struct digest *digest)
{
	uint32_t *state = digest->state.words;
	uint32_t s[8], w[64];
	unsigned i;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)get_big(digest->block + 4 * i, 4);
	for (; i < 64; i++)
		w[i] = (right(w[i - 2], 17) ^ right(w[i - 2], 19) ^
			       w[i - 2] >> 10) +
		       w[i - 7] +
		       (right(w[i - 15], 7) ^ right(w[i - 15], 18) ^
			       w[i - 15] >> 3) +
		       w[i - 16];
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 64; i++) {
		uint32_t big1 =
			right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25);
		uint32_t big0 =
			right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22);
		uint32_t t1 = s[7] + big1 + ((s[4] & s[5]) ^ (~s[4] & s[6])) +
		              (uint32_t)(sha2_constants[i] >> 32) + w[i];
		uint32_t t2 =
			big0 + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(s[0]));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

/* One round; the caller turns the names of the eight words instead of moving
 * them. */
static inline void
round_long(uint64_t a, uint64_t b, uint64_t c, uint64_t *d, uint64_t e,
	uint64_t f, uint64_t g, uint64_t *h, uint64_t added)
{
	uint64_t t1 =
		*h +
		(right_long(e, 14) ^ right_long(e, 18) ^ right_long(e, 41)) +
		(g ^ (e & (f ^ g))) + added;
	uint64_t t2 =
		(right_long(a, 28) ^ right_long(a, 34) ^ right_long(a, 39)) +
		((a & b) | (c & (a | b)));

	*d += t1;
	*h = t1 + t2;
}

static void
compress_sha512(struct digest *digest)
{
	uint64_t *state = digest->state.longs;
	uint64_t s[8], w[80];
	unsigned i;

	for (i = 0; i < 16; i++)
		w[i] = get_big_long(digest->block + (size_t)8 * i);
	for (; i < 80; i++)
		w[i] = (right_long(w[i - 2], 19) ^ right_long(w[i - 2], 61) ^
			       w[i - 2] >> 6) +
		       w[i - 7] +
		       (right_long(w[i - 15], 1) ^ right_long(w[i - 15], 8) ^
			       w[i - 15] >> 7) +
		       w[i - 16];
	for (i = 0; i < 80; i++)
		w[i] += sha2_constants[i];
	memcpy(s, state, sizeof(s));
	for (i = 0; i < 80; i += 8) {
		const uint64_t *now = w + i;

		round_long(s[0], s[1], s[2], &s[3], s[4], s[5], s[6], &s[7],
			now[0]);
		round_long(s[7], s[0], s[1], &s[2], s[3], s[4], s[5], &s[6],
			now[1]);
		round_long(s[6], s[7], s[0], &s[1], s[2], s[3], s[4], &s[5],
			now[2]);
		round_long(s[5], s[6], s[7], &s[0], s[1], s[2], s[3], &s[4],
			now[3]);
		round_long(s[4], s[5], s[6], &s[7], s[0], s[1], s[2], &s[3],
			now[4]);
		round_long(s[3], s[4], s[5], &s[6], s[7], s[0], s[1], &s[2],
			now[5]);
		round_long(s[2], s[3], s[4], &s[5], s[6], s[7], s[0], &s[1],
			now[6]);
		round_long(s[1], s[2], s[3], &s[4], s[5], s[6], s[7], &s[0],
			now[7]);
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

bool
digest_find(struct str name, enum digest_kind *kind_out)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(methods); i++) {
		if (!str_is(name, methods[i].name))
			continue;
		*kind_out = (enum digest_kind)i;
		return true;
	}
	return false;
}

size_t
digest_size(enum digest_kind kind)
{
	return methods[kind].size;
}

void
digest_init(struct digest *digest, enum digest_kind kind)
{
	const struct method *method = &methods[kind];
	size_t i;

	memset(digest, 0, sizeof(*digest));
	digest->kind = kind;
	for (i = 0; i < 8; i++)
		if (method->wide)
			digest->state.longs[i] = method->start[i];
		else
			digest->state.words[i] = (uint32_t)method->start[i];
}

void
digest_add(struct digest *digest, struct str bytes)
{
	const struct method *method = &methods[digest->kind];

	digest->bytes += bytes.len;
	while (bytes.len > 0) {
		size_t part = method->block - digest->used;

		if (part > bytes.len)
			part = bytes.len;
		memcpy(digest->block + digest->used, bytes.data, part);
		digest->used += part;
		bytes = str_skip(bytes, part);
		if (digest->used < method->block)
			return;
		method->compress(digest);
		digest->used = 0;
	}
}

/* A one bit, zeroes, and the length in bits at the very end of a block. */
static void
pad(struct digest *digest, const struct method *method)
{
	uint64_t bits = digest->bytes * 8;
	size_t end = method->block - method->length_bytes;

	digest->block[digest->used++] = 0x80;
	if (digest->used > end) {
		memset(digest->block + digest->used, 0,
			method->block - digest->used);
		method->compress(digest);
		digest->used = 0;
	}
	memset(digest->block + digest->used, 0, method->block - digest->used);
	if (method->big_endian)
		put(digest->block + method->block - 8, 8, bits, true);
	else
		put(digest->block + end, 8, bits, false);
	method->compress(digest);
}

void
digest_end(struct digest *digest, uint8_t result[DIGEST_MAX])
{
	const struct method *method = &methods[digest->kind];
	size_t i;

	pad(digest, method);
	if (method->wide) {
		for (i = 0; i < method->size / 8; i++)
			put(result + 8 * i, 8, digest->state.longs[i], true);
		return;
	}
	for (i = 0; i < method->size / 4; i++)
		put(result + 4 * i, 4, digest->state.words[i],
			method->big_endian);
}

void
digest_of(enum digest_kind kind, struct str bytes, uint8_t result[DIGEST_MAX])
{
	struct digest digest;

	digest_init(&digest, kind);
	digest_add(&digest, bytes);
	digest_end(&digest, result);
}
