/* test - unit tests in C that print TAP
 *
 *	#include "tests/lib/test.h"
 *
 *	TEST(an_empty_script_keeps)
 *	{
 *		CHECK_INT(run("")->count, 1);
 *	}
 *
 * The library brings main(): it runs every test in a process of its own, so
 * that a crash, a leak or a changed setting of one touches no other, under
 * TZ=UTC, LC_ALL=C and umask 077.
 *
 *	PROGRAM [WORD]		only the tests whose name contains WORD
 *	TEST_KEEP=1		keep the private folders (a failed test's stays)
 *	TEST_NO_FORK=1		one process for all, for a debugger
 *	TEST_TIMEOUT=SECONDS	for each test; 60
 *
 * A check that fails says where, what was found and what was expected, and the
 * test goes on.  The exit status is 1 when a test failed or none was selected.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

/* The name is a sentence that can be false. */
#define TEST(name)                                                             \
	static void test_##name(void);                                         \
	__attribute__((constructor)) static void register_##name(void)         \
	{                                                                      \
		static struct test item = {#name, test_##name, NULL};          \
                                                                               \
		test_register(&item);                                          \
	}                                                                      \
	static void test_##name(void)

/* Each is true when the check held: `if (!CHECK(...)) return;`. */
#define CHECK(condition) test_check(__FILE__, __LINE__, #condition, (condition))
#define CHECK_INT(found, expected)                                             \
	test_check_int(__FILE__, __LINE__, #found, (intmax_t)(found),          \
		(intmax_t)(expected))
#define CHECK_UINT(found, expected)                                            \
	test_check_uint(__FILE__, __LINE__, #found, (uintmax_t)(found),        \
		(uintmax_t)(expected))
/* C strings; NULL is only equal to NULL. */
#define CHECK_STR(found, expected)                                             \
	test_check_text(__FILE__, __LINE__, #found, (found), (expected))
/* A struct str against a C string. */
#define CHECK_STR_IS(found, expected)                                          \
	test_check_str(__FILE__, __LINE__, #found, (found), str_from(expected))
/* Two struct str; may hold NUL. */
#define CHECK_STR_EQUAL(found, expected)                                       \
	test_check_str(__FILE__, __LINE__, #found, (found), (expected))

/* Ends the test when it does not hold: what follows would make no sense. */
#define REQUIRE(condition)                                                     \
	do {                                                                   \
		if (!test_check(__FILE__, __LINE__, #condition, (condition)))  \
			test_end();                                            \
	} while (0)

/* Ends the test, which is counted as skipped unless a check failed before. */
#define SKIP(reason) test_skip(reason)

/* An empty folder of this test alone; lives as long as the test.  The text
 * lives as long as the process. */
const char *test_folder(void);

/* FOLDER/NAME, in memory that is never given back. */
const char *test_path(const char *name);

/* Makes a file of that content in test_folder(), with the folders above it; a
 * failure ends the test. */
const char *test_file(const char *name, const char *text);
const char *test_file_bytes(const char *name, struct str bytes);

/* The bytes of a file of up to 64 MB, in memory that is never given back; a
 * failure ends the test. */
struct str test_read(const char *path);

/* A file or folder of the source tree, such as "samples/hello.eml". */
const char *test_source(const char *name);

/* Runs `function` in a child: its exit status, or 128 and the number of the
 * signal that ended it.  For what is meant to end the process. */
int test_child(void (*function)(void *context), void *context);

/* ---- what the macros use ---- */

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
void test_failed(const char *file, int line, const char *text);
/* Here, so that a static analyzer sees what a check proves. */
static inline bool
test_check(const char *file, int line, const char *text, bool holds)
{
	if (!holds)
		test_failed(file, line, text);
	return holds;
}
bool test_check_int(const char *file, int line, const char *text,
	intmax_t found, intmax_t expected);
bool test_check_uint(const char *file, int line, const char *text,
	uintmax_t found, uintmax_t expected);
bool test_check_text(const char *file, int line, const char *text,
	const char *found, const char *expected);
bool test_check_str(const char *file, int line, const char *text,
	struct str found, struct str expected);
NO_RETURN void test_end(void);
NO_RETURN void test_skip(const char *reason);

#endif
