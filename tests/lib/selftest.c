/* Not a test: tests that go wrong on purpose, run by tests/lib/selftest.sh.
 *
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

TEST(holds)
{
	CHECK(true);
	CHECK_INT(-1, -1);
	CHECK_UINT(UINT64_MAX, UINT64_MAX);
	CHECK_STR("a", "a");
	CHECK_STR(NULL, NULL);
	CHECK_STR_IS(STR("a"), "a");
	CHECK_STR_EQUAL(str_of("a\0b", 3), str_of("a\0b", 3));
}

TEST(wrong_condition)
{
	CHECK(false);
}

TEST(wrong_integer)
{
	CHECK_INT(1, -2);
}

TEST(wrong_unsigned)
{
	CHECK_UINT(1, UINT64_MAX);
}

TEST(wrong_text)
{
	CHECK_STR("two\nlines", NULL);
}

TEST(wrong_bytes)
{
	CHECK_STR_EQUAL(str_of("a\0b", 3), STR("a"));
}

TEST(goes_on_after_a_failure)
{
	CHECK(false);
	CHECK_INT(2, 3);
}

TEST(stops_where_it_must)
{
	REQUIRE(false);
	CHECK_INT(4, 5);
}

TEST(is_skipped)
{
	SKIP("no reason");
}

TEST(failed_then_skipped)
{
	CHECK(false);
	SKIP("no reason");
}

TEST(crashes)
{
	raise(SIGSEGV);
}

TEST(hangs)
{
	alarm(1);
	pause();
}

TEST(changes_its_process)
{
	CHECK(setenv("TEST_CHANGED", "yes", 1) == 0);
}

TEST(starts_clean)
{
	CHECK_STR(getenv("TEST_CHANGED"), NULL);
	CHECK_STR(getenv("TZ"), "UTC");
	CHECK_STR(getenv("LC_ALL"), "C");
	CHECK_INT(umask(0), 077);
}

TEST(has_a_folder)
{
	const char *path = test_file("a/b/file", "text");

	CHECK_STR_IS(test_read(path), "text");
	CHECK(chmod(test_path("a/b"), 0) == 0);
}

static void
end_with_seven(void *context)
{
	(void)context;
	_exit(7);
}

static void
end_by_abort(void *context)
{
	(void)context;
	abort();
}

TEST(sees_how_a_child_ends)
{
	CHECK_INT(test_child(end_with_seven, NULL), 7);
	CHECK_INT(test_child(end_by_abort, NULL), 128 + SIGABRT);
}
