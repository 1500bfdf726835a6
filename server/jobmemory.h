/* jobmemory - the core's questions about the past, put to state
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_JOBMEMORY_H
#define SERVER_JOBMEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "deliver/deliver.h"
#include "server/askmarks.h"
#include "server/claims.h"
#include "server/job.h"

enum {
	/* That nothing can be remembered is told once in a while. */
	JOBMEMORY_UNABLE_LOG_MS = 60 * 1000,
	JOBMEMORY_RANDOM_BYTES = 1024
};

/* Of a worker, for all its jobs. */
struct jobmemory {
	struct claims claims;
	struct askmarks marks;
	uid_t uid;
	uint64_t unable_told_ms; /* 0: never yet */
	/* Random bytes for secrets; asking the kernel for a few at a time costs
	 * more than they do. */
	unsigned char random[JOBMEMORY_RANDOM_BYTES];
	size_t random_left;
	/* What state was asked in advance. */
	struct claim *items;
	size_t item_count;
};

/* One job and its memory. */
struct remembered_job {
	struct assignment assignment;
	struct jobmemory *memory;
	const struct err *keys_failed; /* why it has no keys; NULL: it has */
};

/* `path` of state's socket is borrowed. */
void jobmemory_init(struct jobmemory *memory, const char *path, uid_t uid);
void jobmemory_clear(struct jobmemory *memory);

/* For job->memory of a remembered_job's assignment. */
extern const struct job_memory jobmemory_ops;
/* For job->seen. */
extern const struct job_seen jobmemory_seen;

#endif
