/* program_start() and what follows it, with shell scripts as programs
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { IN_TIME_MS = 20000, GONE_WITHIN_MS = 10000 };

static char *const clean[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};

/* Writes what it has to write; then the rest of the body is `body`. */
static struct program_order
order_of(char **words, const char *body)
{
	static char text[4096];
	const char *path;

	snprintf(text, sizeof(text), "#!/bin/sh\ndir=$(dirname \"$0\")\n%s\n",
		body);
	path = test_file("program", text);
	REQUIRE(chmod(path, 0700) == 0);
	words[0] = (char *)(uintptr_t)path;
	return (struct program_order){.words = words,
		.environment = clean,
		.input = -1,
		.output = 100000,
		.timeout_ms = IN_TIME_MS};
}

/* As of program_wait(); `program` is still to be ended. */
static int
run(struct program *program, const struct program_order *order,
	struct str input, struct err *err)
{
	err_clear(err);
	if (program_start(program, order, err) < 0)
		return -1;
	if (order->input < 0 && program_write(program, input, err) < 0)
		return -1;
	program_close_input(program);
	return program_wait(program, err);
}

static bool
says(const struct err *err, const char *words)
{
	return strstr(err->detail, words) != NULL;
}

TEST(its_output_is_the_result_and_its_trouble_is_kept_apart)
{
	char *words[] = {NULL, (char[]){"one two"}, (char[]){"*"}, NULL};
	struct program_order order =
		order_of(words, "cat; echo \"$#:$1:$2\"; echo oops >&2");
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, STR("hello\n"), &err), 0);
	CHECK(program_has_succeeded(&program));
	CHECK_STR_IS(program_output(&program), "hello\n2:one two:*\n");
	CHECK_STR_IS(program_said(&program), "oops");
	program_end(&program);
}

TEST(more_than_a_pipe_holds_goes_in_and_comes_out)
{
	static char bytes[90000];
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "cat");
	struct program program;
	struct err err;

	memset(bytes, 'x', sizeof(bytes));
	CHECK_INT(run(&program, &order, str_of(bytes, sizeof(bytes)), &err), 0);
	CHECK_STR_EQUAL(program_output(&program), str_of(bytes, sizeof(bytes)));
	program_end(&program);
}

TEST(a_descriptor_is_its_standard_input)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "cat");
	struct program program;
	struct err err;

	order.input = open(test_file("input", "from a file"), O_RDONLY);
	REQUIRE(order.input >= 0);
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK_STR_IS(program_output(&program), "from a file");
	program_end(&program);
	CHECK_INT(fcntl(order.input, F_GETFD) >= 0, 1);
	close(order.input);
}

TEST(one_that_reads_nothing_is_no_trouble)
{
	static char bytes[200000];
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "echo done");
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, str_of(bytes, sizeof(bytes)), &err), 0);
	CHECK_STR_IS(program_output(&program), "done\n");
	CHECK(!program_has_read_all(&program));
	program_end(&program);
}

TEST(only_what_is_given_is_in_its_environment)
{
	char *words[] = {NULL, NULL};
	struct program_order order =
		order_of(words, "tr '\\0' '\\n' </proc/$$/environ");
	struct program program;
	struct err err;

	REQUIRE(setenv("SECRET", "1", 1) == 0);
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK_STR_IS(program_output(&program), "PATH=/usr/bin:/bin\n");
	program_end(&program);
}

TEST(it_starts_in_the_folder_that_is_wanted)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "pwd");
	struct program program;
	struct err err;

	order.folder = "/";
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK_STR_IS(program_output(&program), "/\n");
	program_end(&program);
}

TEST(its_status_is_told)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "exit 3");
	struct program program;
	struct buf text;
	struct err err;

	buf_init(&text, BUF_UNLIMITED);
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK(!program_has_succeeded(&program));
	program_add_end(&program, &text);
	CHECK(strstr(buf_text(&text), "program ended with status 3") != NULL);
	program_end(&program);
	buf_clear(&text);
}

TEST(one_that_cannot_be_executed_is_told_with_the_reason)
{
	char *words[] = {(char[]){"/nowhere/at/all"}, NULL};
	const struct program_order order = {
		.words = words, .input = -1, .timeout_ms = IN_TIME_MS};
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, STR_EMPTY, &err), -1);
	CHECK(says(
		&err, "cannot run /nowhere/at/all: No such file or directory"));
	program_end(&program);
}

TEST(more_output_than_allowed_ends_it)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "exec yes");
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, STR_EMPTY, &err), -1);
	CHECK(says(&err, "wrote more than 100000 bytes"));
	program_end(&program);
	CHECK(program.has_ended);
}

TEST(the_output_may_be_just_as_long_as_allowed)
{
	char *words[] = {NULL, NULL};
	struct program_order order =
		order_of(words, "head -c 100000 /dev/zero");
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK_UINT(program_output(&program).len, 100000);
	program_end(&program);
}

TEST(a_limit_of_processor_time_ends_it)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "while :; do :; done");
	struct program program;
	struct err err;

	order.cpu_s = 1;
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK(!program_has_succeeded(&program));
	CHECK(program.status != 0);
	program_end(&program);
}

TEST(a_limit_of_memory_is_one)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(words, "ulimit -v");
	struct program program;
	struct err err;

	order.memory = (uint64_t)100 << 20;
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK_STR_IS(program_output(&program), "102400\n");
	program_end(&program);
}

/* ---- what is left behind ---- */

/* The process whose number is in the file. */
static pid_t
read_pid(const char *name)
{
	uint64_t number = 0;

	REQUIRE(number_parse(str_trim(test_read(test_path(name))), &number) ==
		0);
	REQUIRE(number > 1);
	return (pid_t)number;
}

/* It may be a zombie of init's for a moment. */
static bool
is_gone(pid_t pid)
{
	uint64_t end = clock_monotonic_ms() + GONE_WITHIN_MS;

	while (kill(pid, 0) == 0 && clock_monotonic_ms() < end)
		usleep(1000);
	return kill(pid, 0) < 0;
}

#define SLEEPER                                                                \
	"sh -c 'echo $$ >$0; exec sleep 1000' $dir/pid >/dev/null 2>&1 &"
#define WAIT_FOR_IT "while ! test -s $dir/pid; do sleep 0.01; done"

TEST(its_children_end_with_it)
{
	char *words[] = {NULL, NULL};
	struct program_order order =
		order_of(words, SLEEPER "\n" WAIT_FOR_IT "\nexit 0");
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	CHECK(program_has_succeeded(&program));
	program_end(&program);
	CHECK(is_gone(read_pid("pid")));
}

TEST(a_daemon_that_it_starts_ends_with_it)
{
	char *words[] = {NULL, NULL};
	struct program_order order =
		order_of(words, "setsid " SLEEPER "\n" WAIT_FOR_IT "\nexit 0");
	struct program program;
	struct err err;

	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	program_end(&program);
	CHECK(is_gone(read_pid("pid")));
}

TEST(one_that_hangs_is_ended_with_all_it_has_started)
{
	char *words[] = {NULL, NULL};
	struct program_order order = order_of(
		words, "setsid " SLEEPER "\n" WAIT_FOR_IT "\nsleep 1000");
	struct program program;
	struct err err;

	order.timeout_ms = 3000;
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), -1);
	CHECK_STR(err.status, "4.4.2");
	CHECK(says(&err, "did not end in time"));
	program_end(&program);
	CHECK(program.has_ended);
	CHECK(is_gone(read_pid("pid")));
}

TEST(what_may_stay_in_the_background_goes_on)
{
	char *words[] = {NULL, NULL};
	struct program_order order =
		order_of(words, SLEEPER "\n" WAIT_FOR_IT "\nexit 0");
	struct program program;
	struct err err;
	pid_t pid;

	order.leaves_children = true;
	CHECK_INT(run(&program, &order, STR_EMPTY, &err), 0);
	program_end(&program);
	pid = read_pid("pid");
	CHECK_INT(kill(pid, 0), 0);
	kill(pid, SIGKILL);
}
