/* loop - waiting for many descriptors and times at once (epoll)
 *
 *   loop_watch()  -> ready(watch, events) when the descriptor is
 *   loop_timer()  -> fire(timer) when its time has come
 *
 * Everything happens inside loop_run(), one call after the other.  Watches and
 * timers are embedded in what they are about (CONTAINER_OF gets back there) and
 * may be removed at any time, in their own call as well: no call comes after.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

enum loop_events {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	/* Reported always: both directions are shut, or an error. */
	LOOP_HANGUP = 4,
	/* The peer will send no more; only when asked for. */
	LOOP_END = 8
};

struct loop;

struct loop_watch {
	int fd; /* -1: not watched */
	unsigned events;
	void (*ready)(struct loop_watch *watch, unsigned events);
};

struct loop_timer {
	uint64_t due_ms; /* clock_monotonic_ms() */
	size_t place;    /* the loop's own; 0 = not running */
	void (*fire)(struct loop_timer *timer);
};

/* -1 with errno. */
MUST_USE int loop_open(struct loop **loop_out);
void loop_close(struct loop **loop);

/* Begins to watch `fd`; -1 with errno.  The caller keeps the descriptor and
 * unwatches it before closing it. */
MUST_USE int loop_watch(
	struct loop *loop, struct loop_watch *watch, int fd, unsigned events);
/* Other events from now on; nothing when they are the same. */
void loop_watch_for(
	struct loop *loop, struct loop_watch *watch, unsigned events);
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Once, at `due_ms`; a running timer is moved there. */
void loop_timer(struct loop *loop, struct loop_timer *timer, uint64_t due_ms);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);
static inline bool
loop_timer_is_running(const struct loop_timer *timer)
{
	return timer->place > 0;
}

/* Until loop_stop(), which may be called in any call. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* The time at which the calls of this round began, in ms; saves asking. */
uint64_t loop_now_ms(const struct loop *loop);

/* Called after all calls of each round, before waiting again: what many events
 * caused is done once.  NULL: nothing. */
void loop_after_round(
	struct loop *loop, void (*call)(void *context), void *context);

#endif
