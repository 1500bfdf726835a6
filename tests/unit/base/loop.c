/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct loop *
begin(void)
{
	struct loop *loop = NULL;

	REQUIRE(loop_open(&loop) == 0);
	return loop;
}

/* ---- timers ---- */

struct alarm {
	struct loop_timer timer;
	struct loop *loop;
	unsigned number;
	struct alarm *other; /* stopped when this one fires */
};

static unsigned fired[2000];
static size_t fired_count;

static void
note(struct loop_timer *timer)
{
	struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);

	fired[fired_count++] = alarm->number;
	if (alarm->other != NULL)
		loop_timer_stop(alarm->loop, &alarm->other->timer);
}

static void
end_loop(struct loop_timer *timer)
{
	loop_stop(CONTAINER_OF(timer, struct alarm, timer)->loop);
}

static void
end_after(struct loop *loop, struct alarm *end, uint64_t due_ms)
{
	*end = (struct alarm){.loop = loop, .timer = {.fire = end_loop}};
	loop_timer(loop, &end->timer, due_ms);
}

TEST(timers_fire_in_the_order_of_their_times)
{
	enum { COUNT = 1000 };
	static struct alarm alarms[COUNT];
	struct loop *loop = begin();
	uint64_t now = clock_monotonic_ms();
	struct alarm end;
	unsigned i;

	for (i = 0; i < COUNT; i++) {
		alarms[i] =
			(struct alarm){.loop = loop, .timer = {.fire = note}};
		/* 7919 is prime to 1000: every number once, mixed. */
		alarms[i].number = i * 7919 % COUNT;
		loop_timer(
			loop, &alarms[i].timer, now - COUNT + alarms[i].number);
	}
	end_after(loop, &end, now + 1);
	loop_run(loop);
	CHECK_UINT(fired_count, COUNT);
	for (i = 0; i < fired_count; i++)
		if (!CHECK_UINT(fired[i], i))
			break;
	loop_close(&loop);
}

TEST(a_moved_timer_fires_once_at_its_new_time)
{
	struct loop *loop = begin();
	uint64_t now = clock_monotonic_ms();
	struct alarm a = {.loop = loop, .number = 1, .timer = {.fire = note}};
	struct alarm b = {.loop = loop, .number = 2, .timer = {.fire = note}};
	struct alarm end;

	loop_timer(loop, &a.timer, now - 10);
	loop_timer(loop, &b.timer, now - 5);
	loop_timer(loop, &a.timer, now - 1);
	CHECK(loop_timer_is_running(&a.timer));
	end_after(loop, &end, now + 1);
	loop_run(loop);
	CHECK_UINT(fired_count, 2);
	CHECK_UINT(fired[0], 2);
	CHECK_UINT(fired[1], 1);
	CHECK(!loop_timer_is_running(&a.timer));
	loop_close(&loop);
}

TEST(a_timer_stopped_by_another_one_of_the_round_does_not_fire)
{
	struct loop *loop = begin();
	uint64_t now = clock_monotonic_ms();
	struct alarm b = {.loop = loop, .number = 2, .timer = {.fire = note}};
	struct alarm a = {.loop = loop,
		.number = 1,
		.other = &b,
		.timer = {.fire = note}};
	struct alarm end;

	loop_timer(loop, &a.timer, now - 10);
	loop_timer(loop, &b.timer, now - 5);
	end_after(loop, &end, now + 1);
	loop_run(loop);
	CHECK_UINT(fired_count, 1);
	loop_close(&loop);
}

TEST(random_starts_and_stops_keep_the_order)
{
	enum { COUNT = 300, STEPS = 20000 };
	static struct alarm alarms[COUNT];
	struct loop *loop = begin();
	uint64_t now = clock_monotonic_ms();
	unsigned seed = 1, i, running = 0;
	struct alarm end;

	for (i = 0; i < COUNT; i++)
		alarms[i] = (struct alarm){
			.loop = loop, .number = i, .timer = {.fire = note}};
	for (i = 0; i < STEPS; i++) {
		struct alarm *alarm;

		seed = seed * 1103515245 + 12345;
		alarm = &alarms[(seed >> 8) % COUNT];
		if ((seed >> 4) % 3 == 0)
			loop_timer_stop(loop, &alarm->timer);
		else
			loop_timer(loop, &alarm->timer,
				now - 1 - (seed >> 16) % 1000);
	}
	for (i = 0; i < COUNT; i++)
		running += loop_timer_is_running(&alarms[i].timer);
	end_after(loop, &end, now + 1);
	loop_run(loop);
	CHECK_UINT(fired_count, running);
	for (i = 1; i < fired_count; i++)
		if (!CHECK(alarms[fired[i - 1]].timer.due_ms <=
			    alarms[fired[i]].timer.due_ms))
			break;
	loop_close(&loop);
}

/* ---- descriptors ---- */

struct end {
	struct loop_watch watch;
	struct loop *loop;
	struct end *other; /* unwatched and closed when this one is ready */
	unsigned events;
	unsigned calls;
};

static void
on_ready(struct loop_watch *watch, unsigned events)
{
	struct end *end = CONTAINER_OF(watch, struct end, watch);

	end->calls++;
	end->events |= events;
	if (end->other != NULL && end->other->watch.fd >= 0) {
		int fd = end->other->watch.fd;

		loop_unwatch(end->loop, &end->other->watch);
		close(fd);
		return;
	}
	loop_stop(end->loop);
}

static void
make_pair(int fds[2])
{
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
}

TEST(a_watch_that_another_one_removes_in_the_same_round_is_not_called)
{
	struct loop *loop = begin();
	struct end a = {.loop = loop, .watch = {.ready = on_ready}};
	struct end b = {.loop = loop, .watch = {.ready = on_ready}};
	int pair_a[2], pair_b[2];
	struct alarm end;

	make_pair(pair_a);
	make_pair(pair_b);
	a.other = &b;
	b.other = &a;
	REQUIRE(loop_watch(loop, &a.watch, pair_a[0], LOOP_READ) == 0);
	REQUIRE(loop_watch(loop, &b.watch, pair_b[0], LOOP_READ) == 0);
	REQUIRE(write(pair_a[1], "x", 1) == 1);
	REQUIRE(write(pair_b[1], "x", 1) == 1);
	end_after(loop, &end, clock_monotonic_ms());
	loop_run(loop);
	CHECK_UINT(a.calls + b.calls, 1);
	loop_close(&loop);
}

TEST(a_peer_that_closes_is_seen_without_asking)
{
	struct loop *loop = begin();
	struct end a = {.loop = loop, .watch = {.ready = on_ready}};
	int pair[2];

	make_pair(pair);
	REQUIRE(loop_watch(loop, &a.watch, pair[0], 0) == 0);
	close(pair[1]);
	loop_run(loop);
	CHECK(a.events & LOOP_HANGUP);
	loop_close(&loop);
}

TEST(a_half_closed_peer_is_seen_when_asked_for)
{
	struct loop *loop = begin();
	struct end a = {.loop = loop, .watch = {.ready = on_ready}};
	int pair[2];

	make_pair(pair);
	REQUIRE(loop_watch(loop, &a.watch, pair[0], 0) == 0);
	loop_watch_for(loop, &a.watch, LOOP_END);
	REQUIRE(shutdown(pair[1], SHUT_WR) == 0);
	loop_run(loop);
	CHECK_UINT(a.events, LOOP_END);
	loop_close(&loop);
}

static void
count_round(void *context)
{
	++*(unsigned *)context;
}

TEST(the_end_of_each_round_is_told)
{
	struct loop *loop = begin();
	unsigned rounds = 0;
	struct alarm end;

	loop_after_round(loop, count_round, &rounds);
	end_after(loop, &end, clock_monotonic_ms());
	loop_run(loop);
	CHECK(rounds >= 1);
	loop_close(&loop);
}
