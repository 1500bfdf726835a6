/* stage - a worker process of a test, between a master and a front that the test
 * plays
 *
 * Users have numbers; their homes are test_folder()/userN.  The user N has the
 * ticket N.  What fails here ends the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UNIT_SERVER_STAGE_H
#define TESTS_UNIT_SERVER_STAGE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "ipc/channel.h"
#include "server/wire.h"

struct stage {
	struct arena *arena;
	struct channel master, front; /* our ends */
	pid_t worker;
	void (*before)(void); /* called in the worker, before it begins */
};

void stage_init(struct stage *stage);
void stage_start(struct stage *stage);
/* Both, READY and a front. */
void stage_begin(struct stage *stage);
/* Master goes; the worker's exit status, or 128 and the number of a signal. */
int stage_finish(struct stage *stage);

void stage_give_front(struct stage *stage);
struct frame stage_expect(
	struct stage *stage, struct channel *channel, unsigned type);

struct str stage_user(struct stage *stage, unsigned number);
/* Users 1 to `count`. */
void stage_assign(struct stage *stage, uint64_t job, unsigned count);
void stage_recipients(struct stage *stage, uint64_t job, unsigned count);
/* Users `first` to `last`; `more`: ASSIGN of another job follows. */
void stage_assign_some(struct stage *stage, uint64_t job, unsigned first,
	unsigned last, bool more);
void stage_recipients_some(
	struct stage *stage, uint64_t job, unsigned first, unsigned last);
/* A short one, whole. */
struct wire_job stage_letter(uint64_t job, unsigned recipients);
void stage_job(struct stage *stage, struct wire_job *job);
/* WIRE_JOB_CANCEL */
void stage_number(struct channel *channel, unsigned type, uint64_t job);
struct wire_result stage_result(
	struct stage *stage, uint64_t job, size_t count);
void stage_idle(struct stage *stage, uint64_t job);
/* A whole job, with this result for all. */
void stage_deliver(struct stage *stage, uint64_t job, unsigned count,
	enum wire_outcome outcome);

#endif
