/* SPDX-License-Identifier: MIT */
#include "server/concurrency.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#include "base/banned.h"

enum { BUCKETS_LEAST = 64 };

struct concurrency_user {
	struct concurrency_user *next; /* in its bucket */
	uint64_t hash;
	uint64_t deliveries;
	char name[];
};

void
concurrency_init(struct concurrency *concurrency)
{
	*concurrency = (struct concurrency){.count = 0};
	clock_random(&concurrency->seed, sizeof(concurrency->seed));
}

void
concurrency_clear(struct concurrency *concurrency)
{
	if (concurrency->count > 0)
		BUG("a user has deliveries under way");
	memory_free(concurrency->buckets);
	concurrency->buckets = NULL;
	concurrency->bucket_count = 0;
}

static uint64_t
hash_of(const struct concurrency *concurrency, const char *name)
{
	uint64_t hash = concurrency->seed;

	for (; *name != '\0'; name++) {
		hash = (hash ^ (unsigned char)*name) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return hash;
}

static struct concurrency_user **
bucket_of(const struct concurrency *concurrency, uint64_t hash)
{
	return &concurrency->buckets[hash & (concurrency->bucket_count - 1)];
}

static void
put(struct concurrency *concurrency, struct concurrency_user *user)
{
	struct concurrency_user **bucket = bucket_of(concurrency, user->hash);

	user->next = *bucket;
	*bucket = user;
}

static void
make_room(struct concurrency *concurrency)
{
	struct concurrency old = *concurrency;
	size_t i;

	if (old.count < old.bucket_count)
		return;
	concurrency->bucket_count =
		old.bucket_count > 0 ? old.bucket_count * 2 : BUCKETS_LEAST;
	concurrency->buckets = memory_get(memory_product(
		concurrency->bucket_count, sizeof(*concurrency->buckets)));
	for (i = 0; i < old.bucket_count; i++)
		while (old.buckets[i] != NULL) {
			struct concurrency_user *user = old.buckets[i];

			old.buckets[i] = user->next;
			put(concurrency, user);
		}
	memory_free(old.buckets);
}

/* NULL: nothing is under way. */
static struct concurrency_user *
find(const struct concurrency *concurrency, const char *name, uint64_t hash)
{
	struct concurrency_user *user = NULL;

	if (concurrency->count > 0)
		user = *bucket_of(concurrency, hash);
	while (user != NULL &&
		(user->hash != hash || strcmp(user->name, name) != 0))
		user = user->next;
	return user;
}

static struct concurrency_user *
add(struct concurrency *concurrency, const char *name, uint64_t hash)
{
	size_t size = strlen(name) + 1;
	struct concurrency_user *user;

	make_room(concurrency);
	user = memory_get(sizeof(*user) + size);
	user->hash = hash;
	memcpy(user->name, name, size);
	put(concurrency, user);
	concurrency->count++;
	return user;
}

struct concurrency_user *
concurrency_enter(struct concurrency *concurrency, const char *name,
	uint64_t limit, struct err *err)
{
	uint64_t hash = hash_of(concurrency, name);
	struct concurrency_user *user = find(concurrency, name, hash);

	if (user != NULL && limit > 0 && user->deliveries >= limit) {
		err_set(err, ERR_TEMPORARY, "4.3.0",
			"Too many concurrent deliveries for user");
		err_detail(err,
			"user %s has %llu deliveries under way "
			"(lmtp_user_concurrency_limit)",
			name, (unsigned long long)user->deliveries);
		return NULL;
	}
	if (user == NULL)
		user = add(concurrency, name, hash);
	user->deliveries++;
	return user;
}

void
concurrency_leave(
	struct concurrency *concurrency, struct concurrency_user *user)
{
	struct concurrency_user **link;

	if (user == NULL || --user->deliveries > 0)
		return;
	link = bucket_of(concurrency, user->hash);
	while (*link != user)
		link = &(*link)->next;
	*link = user->next;
	concurrency->count--;
	memory_free(user);
}
