/* Work in a child: whatever it does, its parent goes on
 *
 * SPDX-License-Identifier: MIT
 */
#include "engine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

enum { MEGABYTE = 1024 * 1024, MOST_BYTES = 65536 };

typedef void (*function)(const struct child *child);

/* What a child that does this answered, and how it ended. */
static struct arena *arena;
static struct buf bytes;
static const char *end;

static void
run(function work, uint64_t wall_ms)
{
	const struct child_limits limits = {
		.memory = 16 * MEGABYTE, .cpu_s = 1, .wall_ms = wall_ms};
	struct child child;
	struct err err;
	bool is_child;

	if (arena == NULL)
		arena = arena_open();
	buf_init(&bytes, MOST_BYTES);
	REQUIRE(child_start(&child, &limits, &is_child, &err) == 0);
	if (is_child) {
		work(&child);
		_exit(3);
	}
	child_wait(&child, arena, &bytes, &end);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void
finish(void)
{
	buf_clear(&bytes);
	arena_close(&arena);
}

static void
say_hello(const struct child *child)
{
	child_answer(child, STR("hello"));
}

TEST(a_child_answers_and_is_reaped)
{
	run(say_hello, 60000);
	CHECK_STR_IS(buf_view(&bytes), "hello");
	finish();
}

static void
abort_at_once(const struct child *child)
{
	(void)child;
	abort();
}

TEST(a_child_that_crashes_says_nothing)
{
	run(abort_at_once, 60000);
	CHECK_UINT(bytes.len, 0);
	CHECK_STR(end, "crashed with signal 6");
	finish();
}

static void
say_half(const struct child *child)
{
	CHECK_INT(write(child->pipe, "hel", 3), 3);
	raise(SIGSEGV);
}

TEST(a_child_that_crashes_late_answers_in_part)
{
	run(say_half, 60000);
	CHECK_STR_IS(buf_view(&bytes), "hel");
	CHECK_STR(end, "crashed with signal 11");
	finish();
}

static void
loop(const struct child *child)
{
	volatile int turns = 0;

	(void)child;
	for (;;)
		turns = !turns;
}

TEST(a_child_that_never_ends_is_ended_by_its_CPU_limit)
{
	run(loop, 60000);
	CHECK_UINT(bytes.len, 0);
	CHECK_STR(end, "used too much CPU time");
	finish();
}

static void
wait_forever(const struct child *child)
{
	(void)child;
	for (;;)
		pause();
}

TEST(a_child_that_sleeps_is_ended_by_the_clock)
{
	run(wait_forever, 100);
	CHECK_STR(end, "took too long");
	finish();
}

static void
take_memory(const struct child *child)
{
	void *memory = mmap(NULL, (size_t)64 * MEGABYTE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	child_answer(child, memory == MAP_FAILED ? STR("refused") : STR("had"));
}

TEST(a_child_gets_no_more_memory_than_its_limit)
{
	run(take_memory, 60000);
	CHECK_STR_IS(buf_view(&bytes), "refused");
	finish();
}

static void
say_too_much(const struct child *child)
{
	static char much[4 * MOST_BYTES];

	child_answer(child, str_of(much, sizeof(much)));
}

TEST(an_answer_without_end_is_cut)
{
	run(say_too_much, 60000);
	CHECK_STR(end, "answered too much");
	finish();
}

static int inherited;

static void
look_for_descriptors(const struct child *child)
{
	bool is_open = fcntl(inherited, F_GETFD) >= 0;
	bool may_open = open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0;

	child_answer(child, is_open || may_open ? STR("yes") : STR("no"));
}

TEST(a_child_has_and_gets_no_descriptor)
{
	inherited = fcntl(STDIN_FILENO, F_DUPFD, 77);
	REQUIRE(inherited >= 77);
	run(look_for_descriptors, 60000);
	CHECK_STR_IS(buf_view(&bytes), "no");
	close(inherited);
	finish();
}

TEST(signals_that_the_parent_ignores_end_a_child)
{
	signal(SIGXCPU, SIG_IGN);
	run(loop, 60000);
	CHECK_STR(end, "used too much CPU time");
	finish();
}
