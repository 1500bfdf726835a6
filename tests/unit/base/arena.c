/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>

#include "base/memory.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static bool
is_zero(const char *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

TEST(memory_is_zero_and_aligned)
{
	struct arena *arena = arena_open();
	size_t size;

	for (size = 0; size < 3000; size += 7) {
		char *memory = arena_alloc(arena, size);

		CHECK_UINT((uintptr_t)memory % alignof(max_align_t), 0);
		CHECK(is_zero(memory, size));
		memset(memory, 0xff, size);
	}
	arena_close(&arena);
	CHECK(arena == NULL);
	arena_close(&arena);
}

TEST(one_piece_can_be_larger_than_a_chunk)
{
	struct arena *arena = arena_open();
	char *small = arena_alloc(arena, 10);
	char *large = arena_alloc(arena, 5 * 1024 * 1024);

	small[9] = 1;
	large[5 * 1024 * 1024 - 1] = 1;
	CHECK_INT(small[9], 1);
	CHECK(arena_used(arena) >= 5 * 1024 * 1024 + 10);
	arena_close(&arena);
}

TEST(released_memory_is_zero_again)
{
	struct arena *arena = arena_open();
	struct arena_mark mark;
	char *kept = arena_text(arena, STR("kept")), *memory;
	size_t used = arena_used(arena);

	mark = arena_mark(arena);
	memory = arena_alloc(arena, 100);
	memset(memory, 0xff, 100);
	arena_alloc(arena, 100000);
	arena_release(arena, mark);
	CHECK_UINT(arena_used(arena), used);
	CHECK_STR(kept, "kept");
	memory = arena_alloc(arena, 100);
	CHECK(is_zero(memory, 100));
	arena_close(&arena);
}

/* Small and large pieces, cleared and not, in several chunks, one of which the
 * system has cleared; twice in the same memory. */
TEST(memory_is_zero_whatever_was_there_before)
{
	struct arena *arena = arena_open();
	unsigned round, i;

	for (round = 0; round < 3; round++) {
		struct arena_mark outer = arena_mark(arena);

		for (i = 0; i < 3000; i++) {
			size_t size = i * 37 % 2500, used = arena_used(arena);
			struct arena_mark mark = arena_mark(arena);
			char *memory = arena_alloc(arena, size);

			CHECK(is_zero(memory, size));
			memset(memory, 0xff, size);
			if (i % 3 == 0)
				memset(arena_text(arena, STR("not zero")), 0xff,
					sizeof("not zero"));
			if (i % 5 == 0) {
				arena_release(arena, mark);
				CHECK_UINT(arena_used(arena), used);
			}
		}
		arena_release(arena, outer);
		CHECK_UINT(arena_used(arena), outer.total);
	}
	arena_close(&arena);
}

TEST(a_mark_in_an_empty_arena_releases_all)
{
	struct arena *arena = arena_open();
	struct arena_mark mark = arena_mark(arena);

	arena_alloc(arena, 100000);
	arena_release(arena, mark);
	CHECK_UINT(arena_used(arena), 0);
	CHECK(is_zero(arena_alloc(arena, 100), 100));
	arena_close(&arena);
}

TEST(a_grown_array_keeps_its_items)
{
	struct arena *arena = arena_open();
	int *array = ARENA_ARRAY(arena, int, 2), *bigger;

	array[0] = 1;
	array[1] = 2;
	bigger = arena_grow(arena, array, sizeof(*array), 2, 4);
	CHECK_INT(bigger[0], 1);
	CHECK_INT(bigger[1], 2);
	CHECK_INT(bigger[2], 0);
	bigger = arena_grow(arena, NULL, sizeof(*array), 0, 1);
	CHECK_INT(bigger[0], 0);
	arena_close(&arena);
}

TEST(copies_end_in_a_nul_that_is_not_counted)
{
	struct arena *arena = arena_open();
	struct str copy = arena_copy(arena, str_of("a\0bX", 3));

	CHECK_STR_EQUAL(copy, str_of("a\0b", 3));
	CHECK_INT(copy.data[3], '\0');
	CHECK_STR(arena_text(arena, str_of("a\0b", 3)), "a");
	CHECK_STR(arena_text(arena, str_of(NULL, 0)), "");
	CHECK_STR(arena_format(arena, "%s-%d", "x", 7), "x-7");
	CHECK_STR_IS(arena_lower(arena, STR("AZ\xc9")), "az\xc9");
	arena_close(&arena);
}

static void
allocate_half_of_everything(void *context)
{
	struct arena *arena = arena_open();

	(void)context;
	arena_alloc(arena, SIZE_MAX / 2 + 1);
}

static void
allocate_overflowing_array(void *context)
{
	struct arena *arena = arena_open();

	(void)context;
	arena_alloc_array(arena, SIZE_MAX / 4 + 1, 4);
}

/* An MTA reads 75 (EX_TEMPFAIL) as "try again". */
TEST(running_out_of_memory_is_temporary)
{
	CHECK_INT(test_child(allocate_half_of_everything, NULL), 75);
	CHECK_INT(test_child(allocate_overflowing_array, NULL), 75);
}

/* Longer texts are changed in blocks. */
TEST(a_lowered_copy_is_lowered_in_every_place)
{
	struct arena *arena = arena_open();
	char text[101], expected[101];
	size_t i;

	for (i = 0; i < sizeof(text); i++) {
		text[i] = (char)(i % 2 == 0 ? 'A' + i % 26 : 0x80 + i);
		expected[i] = (char)(i % 2 == 0 ? 'a' + i % 26 : 0x80 + i);
	}
	for (i = 0; i <= sizeof(text); i++)
		CHECK_STR_EQUAL(arena_lower(arena, str_of(text, i)),
			str_of(expected, i));
	arena_close(&arena);
}
