/* concurrency - how many deliveries a user has under way
 *
 * From the RCPT that is accepted to the end of its transaction, by the user's name;
 * lmtp_user_concurrency_limit.  Names of which nothing is under way take no memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CONCURRENCY_H
#define SERVER_CONCURRENCY_H

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"

struct concurrency_user;

struct concurrency {
	struct concurrency_user **buckets;
	size_t bucket_count; /* 0, or a power of two */
	size_t count;        /* users */
	uint64_t seed;       /* nobody can choose names of one bucket */
};

void concurrency_init(struct concurrency *concurrency);
/* All have left. */
void concurrency_clear(struct concurrency *concurrency);

/* One more for that user, until concurrency_leave().  NULL: `limit` are under way
 * (0 = no limit): temporary, 4.3.0. */
struct concurrency_user *concurrency_enter(struct concurrency *concurrency,
	const char *name, uint64_t limit, struct err *err);
/* Nothing when NULL. */
void concurrency_leave(
	struct concurrency *concurrency, struct concurrency_user *user);

#endif
