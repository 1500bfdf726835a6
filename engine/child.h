/* child - work that may crash, hang or eat memory, in a process of its own
 *
 *   child_start()  like fork(): returns in both processes
 *     child:  child_answer(bytes), which ends it
 *     parent: child_wait(), which has the bytes and leaves no zombie
 *
 * The child sees the memory as it was and may change its copy.  It has no
 * descriptor but the pipe to its parent, may open none, start no process and dump
 * no core; its CPU time, its memory and its life are limited.  Runs as whoever
 * calls; blocks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ENGINE_CHILD_H
#define ENGINE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct child_limits {
	uint64_t memory;  /* bytes above what the parent has */
	unsigned cpu_s;   /* seconds of CPU */
	uint64_t wall_ms; /* of waiting for the answer */
};

struct child {
	pid_t pid;
	int pipe; /* the parent's end, or the child's */
	uint64_t deadline_ms;
};

/* Temporary when there can be no further process. */
MUST_USE int child_start(struct child *child, const struct child_limits *limits,
	bool *is_child_out, struct err *err);

/* In the child: gives the bytes to the parent and ends. */
NO_RETURN void child_answer(const struct child *child, struct str bytes);

/* In the parent: what the child gave, up to the buffer's maximum.  The child is
 * dead and reaped when this returns.  A child that died has answered in part or
 * not at all, so the bytes must tell their own end; `end_out` says how it ended,
 * for people ("killed by signal 6"), and lives as long as the program or in
 * `arena`. */
void child_wait(struct child *child, struct arena *arena, struct buf *bytes,
	const char **end_out);

#endif
