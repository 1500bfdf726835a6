/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"

#include "base/banned.h"

enum { ROUND_EVENTS = 256 };

/* Timers are a binary heap that begins at index 1: the soonest is at the top. */
struct loop {
	int epoll;
	bool is_stopping;
	uint64_t now_ms;
	struct epoll_event round[ROUND_EVENTS];
	int round_count, round_at;
	struct loop_timer **timers;
	size_t timer_count, timer_size;
	void (*after_round)(void *context);
	void *context;
};

int
loop_open(struct loop **loop_out)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct loop *loop;

	if (epoll < 0)
		return -1;
	loop = memory_get(sizeof(*loop));
	loop->epoll = epoll;
	loop->now_ms = clock_monotonic_ms();
	*loop_out = loop;
	return 0;
}

void
loop_close(struct loop **loop)
{
	if (*loop == NULL)
		return;
	fd_close(&(*loop)->epoll);
	memory_free((*loop)->timers);
	memory_free(*loop);
	*loop = NULL;
}

/* ---- descriptors ---- */

static uint32_t
to_epoll(unsigned events)
{
	return ((events & LOOP_READ) ? EPOLLIN : 0) |
	       ((events & LOOP_WRITE) ? EPOLLOUT : 0) |
	       ((events & LOOP_END) ? EPOLLRDHUP : 0);
}

static unsigned
from_epoll(uint32_t events)
{
	return ((events & EPOLLIN) ? LOOP_READ : 0) |
	       ((events & EPOLLOUT) ? LOOP_WRITE : 0) |
	       ((events & EPOLLRDHUP) ? LOOP_END : 0) |
	       ((events & (EPOLLHUP | EPOLLERR)) ? LOOP_HANGUP : 0);
}

int
loop_watch(struct loop *loop, struct loop_watch *watch, int fd, unsigned events)
{
	struct epoll_event event = {
		.events = to_epoll(events), .data.ptr = watch};

	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return -1;
	watch->fd = fd;
	watch->events = events;
	return 0;
}

void
loop_watch_for(struct loop *loop, struct loop_watch *watch, unsigned events)
{
	struct epoll_event event = {
		.events = to_epoll(events), .data.ptr = watch};

	if (watch->fd < 0 || watch->events == events)
		return;
	watch->events = events;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0)
		BUG("epoll_ctl: descriptor %d is not watched", watch->fd);
}

void
loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	int i;

	if (watch->fd < 0)
		return;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL) < 0)
		BUG("epoll_ctl: descriptor %d is not watched", watch->fd);
	watch->fd = -1;
	/* What this round still had for it. */
	for (i = loop->round_at; i < loop->round_count; i++)
		if (loop->round[i].data.ptr == watch)
			loop->round[i].data.ptr = NULL;
}

/* ---- timers ---- */

static void
heap_put(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->timers[place] = timer;
	timer->place = place;
}

static void
heap_up(struct loop *loop, size_t place, struct loop_timer *timer)
{
	while (place > 1 && timer->due_ms < loop->timers[place / 2]->due_ms) {
		heap_put(loop, place, loop->timers[place / 2]);
		place /= 2;
	}
	heap_put(loop, place, timer);
}

static void
heap_down(struct loop *loop, size_t place, struct loop_timer *timer)
{
	for (;;) {
		size_t child = place * 2;

		if (child < loop->timer_count &&
			loop->timers[child + 1]->due_ms <
				loop->timers[child]->due_ms)
			child++;
		if (child > loop->timer_count ||
			timer->due_ms <= loop->timers[child]->due_ms)
			break;
		heap_put(loop, place, loop->timers[child]);
		place = child;
	}
	heap_put(loop, place, timer);
}

static void
heap_make_room(struct loop *loop)
{
	if (loop->timer_count + 1 < loop->timer_size)
		return;
	loop->timer_size = loop->timer_size ? loop->timer_size * 2 : 64;
	loop->timers = memory_resize(loop->timers,
		memory_product(loop->timer_size, sizeof(struct loop_timer *)));
}

void
loop_timer(struct loop *loop, struct loop_timer *timer, uint64_t due_ms)
{
	uint64_t before = timer->due_ms;

	timer->due_ms = due_ms;
	if (timer->place == 0) {
		heap_make_room(loop);
		heap_up(loop, ++loop->timer_count, timer);
	} else if (due_ms < before) {
		heap_up(loop, timer->place, timer);
	} else {
		heap_down(loop, timer->place, timer);
	}
}

void
loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	size_t place = timer->place;
	struct loop_timer *last;

	if (place == 0)
		return;
	timer->place = 0;
	last = loop->timers[loop->timer_count--];
	if (last == timer)
		return;
	if (place > 1 && last->due_ms < loop->timers[place / 2]->due_ms)
		heap_up(loop, place, last);
	else
		heap_down(loop, place, last);
}

/* ---- running ---- */

static int
milliseconds_to_wait(const struct loop *loop)
{
	uint64_t due, now;

	if (loop->timer_count == 0)
		return -1;
	due = loop->timers[1]->due_ms;
	now = clock_monotonic_ms();
	if (due <= now)
		return 0;
	return due - now > INT_MAX ? INT_MAX : (int)(due - now);
}

static void
fire_timers(struct loop *loop)
{
	while (!loop->is_stopping && loop->timer_count > 0 &&
		loop->timers[1]->due_ms <= loop->now_ms) {
		struct loop_timer *timer = loop->timers[1];

		loop_timer_stop(loop, timer);
		timer->fire(timer);
	}
}

static void
call_watches(struct loop *loop)
{
	while (!loop->is_stopping && loop->round_at < loop->round_count) {
		struct epoll_event *event = &loop->round[loop->round_at++];
		struct loop_watch *watch = event->data.ptr;

		if (watch != NULL)
			watch->ready(watch, from_epoll(event->events));
	}
}

void
loop_run(struct loop *loop)
{
	loop->is_stopping = false;
	while (!loop->is_stopping) {
		int count = epoll_wait(loop->epoll, loop->round, ROUND_EVENTS,
			milliseconds_to_wait(loop));

		if (count < 0 && errno != EINTR)
			BUG("epoll_wait fails");
		loop->now_ms = clock_monotonic_ms();
		loop->round_count = count > 0 ? count : 0;
		loop->round_at = 0;
		call_watches(loop);
		fire_timers(loop);
		if (loop->after_round != NULL)
			loop->after_round(loop->context);
	}
	loop->round_count = 0;
}

void
loop_stop(struct loop *loop)
{
	loop->is_stopping = true;
}

uint64_t
loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

void
loop_after_round(struct loop *loop, void (*call)(void *context), void *context)
{
	loop->after_round = call;
	loop->context = context;
}
