/* The file of decisions: bounded, whole lines, nothing but a file
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/decisionlog.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const char *
path(void)
{
	return test_path("log");
}

static int
add(const char *text, uint64_t size_max)
{
	struct err err;

	return decisionlog_add(path(), size_max, str_from(text), &err);
}

static off_t
size_of(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 ? status.st_size : -1;
}

static struct buf all;

static struct str
read_all(void)
{
	struct err err;

	buf_clear(&all);
	buf_init(&all, BUF_UNLIMITED);
	CHECK(decisionlog_read(path(), &all, &err) == LOOKUP_FOUND);
	return buf_view(&all);
}

TEST(lines_come_back_in_order)
{
	CHECK(add("one\n", 100) == 0);
	CHECK(add("two\n", 100) == 0);
	CHECK_STR_IS(read_all(), "one\ntwo\n");
}

TEST(a_file_that_was_never_written_is_none)
{
	struct buf out;
	struct err err;

	buf_init(&out, BUF_UNLIMITED);
	CHECK(decisionlog_read(path(), &out, &err) == LOOKUP_NONE);
	buf_clear(&out);
}

TEST(a_file_of_full_size_becomes_the_older_one)
{
	CHECK(add("12345678\n", 9) == 0);
	CHECK(add("b\n", 9) == 0);
	CHECK_INT(size_of(path()), 2);
	CHECK_INT(size_of(test_path("log.0")), 9);
	CHECK_STR_IS(read_all(), "12345678\nb\n");
	CHECK(add("12345678\n", 9) == 0);
	CHECK(add("c\n", 9) == 0);
	CHECK_STR_IS(read_all(), "b\n12345678\nc\n");
}

TEST(what_is_no_file_is_left_alone)
{
	struct buf out;
	struct err err;

	CHECK(mkfifo(path(), 0600) == 0);
	CHECK(add("x\n", 100) < 0);
	buf_init(&out, BUF_UNLIMITED);
	CHECK(decisionlog_read(path(), &out, &err) == LOOKUP_ERROR);
	CHECK(unlink(path()) == 0);
	CHECK(symlink("elsewhere", path()) == 0);
	CHECK(add("x\n", 100) < 0);
	CHECK(decisionlog_read(path(), &out, &err) == LOOKUP_ERROR);
	CHECK_INT(size_of(test_path("elsewhere")), -1);
	buf_clear(&out);
}

enum { WRITERS = 8, LINES = 200, LENGTH = 500, SIZE = 20000 };

static void
write_lines(int writer)
{
	char text[LENGTH + 1];
	int i;

	memset(text, 'a' + writer, LENGTH);
	text[LENGTH - 1] = '\n';
	text[LENGTH] = '\0';
	for (i = 0; i < LINES; i++)
		while (add(text, SIZE) < 0)
			sched_yield();
	_exit(0);
}

#define TEN "123456789\n"

TEST(a_file_that_cannot_be_moved_stops_at_twice_its_size)
{
	int i, fd;

	CHECK_INT(add(TEN, 100), 0);
	fd = open(path(), O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && flock(fd, LOCK_EX) == 0);
	for (i = 0; i < 100; i++)
		(void)add(TEN, 100);
	CHECK(size_of(path()) >= 200);
	CHECK(size_of(path()) < 200 + 10);
	close(fd);
	CHECK_INT(add(TEN, 100), 0);
	CHECK_INT(size_of(path()), 10);
}

/* Who moves the file away while another one does so, too, would lose all that is
 * kept, or leave more than two files. */
TEST(writers_at_the_same_time_do_not_mix_and_keep_the_bound)
{
	struct str rest, line;
	bool is_mixed = false;
	int writer, status;
	size_t i;

	/* The same folder for all. */
	(void)path();
	for (writer = 0; writer < WRITERS; writer++)
		if (fork() == 0)
			write_lines(writer);
	for (writer = 0; writer < WRITERS; writer++) {
		CHECK(wait(&status) > 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	/* A writer that has opened the file adds one line at most when it is
	 * full.  Others may write while one is about to move it away. */
	CHECK(size_of(path()) <= 2 * SIZE + WRITERS * LENGTH);
	CHECK(size_of(test_path("log.0")) >= SIZE);
	CHECK(size_of(test_path("log.0")) <= 2 * SIZE + WRITERS * LENGTH);
	rest = read_all();
	while (rest.len > 0 && str_next_field(&rest, '\n', &line)) {
		CHECK_UINT(line.len, LENGTH - 1);
		for (i = 0; i < line.len; i++)
			is_mixed |= line.data[i] != line.data[0];
	}
	CHECK(!is_mixed);
}
