/* SPDX-License-Identifier: MIT */
#include "base/crash.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#include "tests/lib/test.h"

#include "base/banned.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

/* Overflows the stack; volatile, or nothing would be left of it. */
static unsigned
dig(volatile unsigned depth)
{
	volatile char room[4096];

	if (depth == UINT_MAX)
		return 0;
	room[depth % sizeof(room)] = (char)depth;
	return dig(depth + 1) + (unsigned char)room[depth % sizeof(room)];
}

/* What a process leaves in the log that dies of it; 0: of a full stack.  *status_out
 * is waitpid()'s. */
static struct str
die_of(int number, const char *about, int *status_out)
{
	const char *path = test_path("log");
	pid_t pid = fork();

	if (pid == 0) {
		const struct rlimit none = {0, 0};
		const struct log_settings settings = {.path = path,
			.info_path = "",
			.debug_path = "",
			.facility = "mail",
			.timestamp = ""};

		(void)setrlimit(RLIMIT_CORE, &none);
		log_open(&settings);
		log_set_prefix("lmtp(amy)<42><AqKOK>:");
		crash_open();
		crash_about(about, str_from(about[0] != '\0' ? "amy\n@x" : ""));
		if (number == 0)
			_exit((int)dig(0));
		raise(number);
		_exit(0);
	}
	REQUIRE(pid > 0 && waitpid(pid, status_out, 0) == pid);
	return test_read(path);
}

TEST(a_fault_is_told_with_who_it_was_for_and_ends_the_process)
{
	int status = 0;

	if (IS_SANITIZED)
		return;
	CHECK_STR_IS(die_of(SIGSEGV, "", &status),
		"lmtp(amy)<42><AqKOK>: Error: died of signal 11 (Segmentation "
		"fault)\n");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(one_that_serves_many_says_for_which_session)
{
	int status = 0;

	if (IS_SANITIZED)
		return;
	CHECK_STR_IS(die_of(SIGABRT, "XYZ", &status),
		"lmtp(amy)<42><AqKOK>: Error: died of signal 6 (Aborted), "
		"session=<XYZ>, recipient=<amy?@x>\n");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

TEST(a_full_stack_is_told_as_well)
{
	int status = 0;

	if (IS_SANITIZED)
		return;
	CHECK_STR_IS(die_of(0, "", &status),
		"lmtp(amy)<42><AqKOK>: Error: died of signal 11 (Segmentation "
		"fault)\n");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}
