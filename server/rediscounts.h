/* rediscounts - counts that several servers share, in Redis
 *
 * A hash for each, PREFIX UID/ROOT/USER, with the fields run, version, bytes,
 * messages and counted.  A script changes it in one step.  `run` names the run of
 * the Redis server that was counted in: one that was started anew may have lost the
 * last changes, so what it finds is none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_REDISCOUNTS_H
#define SERVER_REDISCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "quota/request.h"

struct rediscounts;

/* NULL: no root has its count in Redis.  Reads the password's file, which a confined
 * process does not see; errors are logged. */
struct rediscounts *rediscounts_open(
	struct arena *arena, const struct settings *settings);
/* Before the first question. */
void rediscounts_begin(struct rediscounts *counts, struct loop *loop);
void rediscounts_close(struct rediscounts *counts);

bool rediscounts_has(const struct rediscounts *counts, uint32_t root);

/* `answered` is called once, perhaps before this returns. */
typedef void rediscounts_answered(
	void *context, struct request_counted *counted);
void rediscounts_serve(struct rediscounts *counts, uint32_t uid,
	const struct request_count *count, uint64_t now_s,
	rediscounts_answered *answered, void *context);

#endif
