/* SPDX-License-Identifier: MIT */
#include "proxy/ring.h"

#include "base/digest.h"

#include "base/banned.h"

__extension__ typedef unsigned __int128 wide;

uint64_t
ring_hash(struct str name)
{
	unsigned char bytes[DIGEST_MAX];
	uint64_t hash = 0;
	size_t i;

	digest_of(DIGEST_SHA256, name, bytes);
	for (i = 0; i < sizeof(hash); i++)
		hash = hash << 8 | bytes[i];
	return hash;
}

/* Every bit of the result depends on every one of `x` (SplitMix64's last step). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Digit by digit: squaring doubles a logarithm, and what then is 2 or more has the
 * digit 1. */
uint64_t
ring_log(uint64_t x)
{
	uint64_t log, mantissa;
	unsigned exponent = 63, i;

	if (x == UINT64_MAX)
		return 1;
	x++;
	while (x >> exponent == 0)
		exponent--;
	/* 1.63 bits: at least 1, less than 2. */
	mantissa = x << (63 - exponent);
	log = exponent;
	for (i = 0; i < RING_LOG_BITS; i++) {
		wide square = (wide)mantissa * mantissa;
		bool is_two = (square >> 127) != 0;

		mantissa = (uint64_t)(square >> (is_two ? 64 : 63));
		log = log << 1 | is_two;
	}
	return ((uint64_t)64 << RING_LOG_BITS) - log;
}

struct draw {
	const struct ring_member *member;
	uint64_t log;
};

/* Whose log / weight is less; if neither is, the order of the list must not
 * count. */
static bool
is_better(const struct draw *a, const struct draw *b)
{
	wide left = (wide)a->log * b->member->weight;
	wide right = (wide)b->log * a->member->weight;

	return left != right ? left < right : a->member->hash < b->member->hash;
}

size_t
ring_choose(const struct ring_member *members, size_t count, uint64_t user)
{
	struct draw best = {0}, draw;
	size_t i;

	for (i = 0; i < count; i++) {
		if (members[i].is_out || members[i].weight == 0)
			continue;
		draw.member = &members[i];
		draw.log = ring_log(mix(user ^ mix(members[i].hash)));
		if (best.member == NULL || is_better(&draw, &best))
			best = draw;
	}
	return best.member != NULL ? (size_t)(best.member - members) : count;
}
