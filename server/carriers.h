/* carriers - processes that hand mail over, one at a time each
 *
 * Forked from the mailer, as its user: what a carrier does may block, and a way
 * out that hangs holds nobody but itself.  One that has done its work keeps its
 * connection for some seconds and waits for more.
 *
 *   idle --job--> busy --answer--> idle --some seconds--> ended
 *                  |  late, or dead: the job fails, the process is killed
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CARRIERS_H
#define SERVER_CARRIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "outbound/outbound.h"
#include "outbound/request.h"

/* Status of a job whose process was late. */
#define CARRIERS_LATE "4.4.2"

struct carriers_job {
	struct arena *arena;
	struct request_submit submit; /* the file stays the owner's */
	uint64_t until_ms;            /* clock_monotonic_ms() */
	/* Once: the results, or (NULL) why there are none.  The job may end in
	 * it. */
	void (*done)(struct carriers_job *job,
		struct request_submitted *results, const struct err *err);
	struct list_link in_line; /* ours, while it waits */
};

struct carriers_order {
	struct loop *loop;
	const struct outbound_settings *settings;
	uint64_t most; /* processes */
	/* Called in each of them: close what is not theirs. */
	void (*forget)(void *context);
	void *context;
};

struct carriers *carriers_open(const struct carriers_order *order);
/* Ends all processes; no call of `done`. */
void carriers_close(struct carriers **carriers);

void carriers_take(struct carriers *carriers, struct carriers_job *job);
/* False: a process has it already. */
bool carriers_withdraw(struct carriers *carriers, struct carriers_job *job);

/* None of NULL. */
size_t carriers_count(const struct carriers *carriers);

#endif
