/* ring - which backend of a group a user belongs to
 *
 * Rendezvous hashing (highest random weight): for each user every backend draws a
 * number from a hash of both names, and the best one wins.  So who asks needs to
 * know the names only, every proxy comes to the same result, and a backend that
 * is added or taken away moves no users but those it gets or had.
 *
 * With h a number in (0, 1) and w the weight, the best one is that with the
 * greatest -w / ln(h), as then it wins with the probability w / (sum of all w).
 * The logarithm is worked out in whole numbers: no rounding of a library or a
 * processor may send a user elsewhere.  Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PROXY_RING_H
#define PROXY_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { RING_WEIGHT_MAX = 1000000 };

struct ring_member {
	uint64_t hash;   /* ring_hash() of its name */
	uint32_t weight; /* 0: gets no users; RING_WEIGHT_MAX at most */
	bool is_out;     /* as if it were not there */
};

/* The same on every host: 8 bytes of SHA-256. */
uint64_t ring_hash(struct str name);

/* The place of the winner for the user with that ring_hash(); `count`: there is
 * none. */
size_t ring_choose(
	const struct ring_member *members, size_t count, uint64_t user);

/* -log2((x + 1) / 2^64) in units of 2^-RING_LOG_BITS, rounded up; never 0.  Shown for
 * the tests. */
enum { RING_LOG_BITS = 40 };
uint64_t ring_log(uint64_t x);

#endif
