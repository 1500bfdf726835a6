/* redis - questions to a Redis server, without waiting
 *
 * A connection of its own for each struct redis, made when something is asked, and
 * made again when it was lost.  Each question is answered: by Redis within
 * `timeout_ms`, else with NULL, after which it may have been done or not.
 *
 * Where the build has no hiredis all answers are NULL.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DICT_REDIS_H
#define DICT_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/str.h"

enum {
	REDIS_WORDS_MAX = 16,
	REDIS_RETRY_MS = 250 /* from a connection that failed to the next */
};

struct redis;

/* Borrowed until redis_close(). */
struct redis_options {
	const char *host; /* an address */
	uint16_t port;
	const char *path; /* of a Unix socket, in place of both; NULL: none */
	uint64_t database;
	struct str password; /* empty: none */
	uint64_t timeout_ms;
};

/* The items of an array, as text; of anything else the one.  Nil is empty. */
struct redis_answer {
	struct str items[REDIS_WORDS_MAX];
	size_t count;
};

/* The caller's, until it is answered. */
struct redis_question {
	void (*answered)(struct redis_question *question,
		const struct redis_answer *answer);
	/* redis.c's own */
	struct redis *redis;
	struct redis_question *next;
	uint64_t until_ms;
};

struct redis *redis_open(
	struct loop *loop, const struct redis_options *options);
/* Answers all questions. */
void redis_close(struct redis **redis);

/* May answer before it returns. */
void redis_ask(struct redis *redis, struct redis_question *question,
	const struct str *words, size_t count);

#endif
