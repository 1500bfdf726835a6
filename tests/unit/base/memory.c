/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(new_memory_is_zero_even_for_no_bytes)
{
	char *memory = memory_get(100), *nothing = memory_get(0);
	size_t i;

	for (i = 0; i < 100; i++)
		CHECK_INT(memory[i], 0);
	CHECK(nothing != NULL);
	memory_free(memory);
	memory_free(nothing);
	memory_free(NULL);
}

TEST(a_resize_keeps_the_bytes)
{
	char *memory = memory_get(3);

	memory[0] = 'a';
	memory = memory_resize(memory, 100000);
	CHECK_INT(memory[0], 'a');
	memory_free(memory);
}

TEST(a_product_that_fits_is_one)
{
	CHECK_UINT(memory_product(1u << 16, 1u << 15), (size_t)1 << 31);
	CHECK_UINT(memory_product(0, SIZE_MAX), 0);
}

static void
multiply_too_much(void *context)
{
	(void)context;
	memory_free(memory_get(memory_product(SIZE_MAX / 2 + 1, 2)));
}

#ifndef __SANITIZE_ADDRESS__
static void
use_up_the_address_space(void *context)
{
	struct rlimit limit = {256 << 20, 256 << 20};
	char *memory = NULL;
	size_t size;

	(void)context;
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		return;
	for (size = 1 << 20; size < (size_t)1 << 32; size *= 2)
		memory = memory_resize(memory, size);
}
#endif

TEST(exhausted_memory_ends_the_process_as_temporary)
{
	CHECK_INT(test_child(multiply_too_much, NULL), 75);
#ifndef __SANITIZE_ADDRESS__
	/* The sanitizer itself needs more than any limit. */
	CHECK_INT(test_child(use_up_the_address_space, NULL), 75);
#endif
}

static void
find_a_bug(void *context)
{
	(void)context;
	BUG("an invariant of %s", "ours");
}

TEST(a_bug_aborts)
{
	CHECK_INT(test_child(find_a_bug, NULL), 128 + SIGABRT);
}
