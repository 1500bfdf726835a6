/* Marks in a file of the user's own
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/seenfile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { NOW = 1000, SHORT_MS = 50, LONG_MS = 20000 };

static const char *
path(void)
{
	return test_path("seen");
}

static struct seen_mark
mark(unsigned number, uint64_t expires_s)
{
	struct seen_mark result = {.expires_s = expires_s};

	memcpy(result.key, &number, sizeof(number));
	return result;
}

static int
keep(unsigned number, uint64_t expires_s)
{
	struct seen_mark one = mark(number, expires_s);
	struct err err;

	return seenfile_keep(path(), &one, 1, NOW, SHORT_MS, &err);
}

static enum lookup
find_at(unsigned number, uint64_t now_s)
{
	struct seen_mark one = mark(number, 0);
	struct err err;

	return seenfile_find(path(), one.key, now_s, &err);
}

static enum lookup
find(unsigned number)
{
	return find_at(number, NOW);
}

static enum lookup
claim(unsigned number, uint64_t expires_s)
{
	struct seen_mark one = mark(number, expires_s);
	struct err err;

	return seenfile_claim(path(), &one, NOW, LONG_MS, &err);
}

TEST(a_mark_is_claimed_once_until_its_time)
{
	CHECK_INT(claim(1, NOW + 10), LOOKUP_FOUND);
	CHECK_INT(claim(1, NOW + 20), LOOKUP_NONE);
	CHECK_INT(claim(2, NOW), LOOKUP_FOUND);
	CHECK_INT(claim(2, NOW + 10), LOOKUP_FOUND);
	CHECK_INT(find_at(1, NOW + 9), LOOKUP_FOUND);
	CHECK_INT(find_at(1, NOW + 10), LOOKUP_NONE);
	CHECK_INT(keep(1, NOW), 0);
	CHECK_INT(claim(1, NOW + 10), LOOKUP_FOUND);
}

TEST(of_those_who_claim_at_the_same_time_one_gets_it)
{
	enum { CROWD = 30 };
	int status, winners = 0, i;

	/* A child would make a folder of its own. */
	CHECK_INT(find(1), LOOKUP_NONE);
	for (i = 0; i < CROWD; i++) {
		pid_t pid = fork();

		REQUIRE(pid >= 0);
		if (pid == 0)
			_exit(claim(1, NOW + 10) == LOOKUP_FOUND ? 1 : 0);
	}
	for (i = 0; i < CROWD; i++) {
		REQUIRE(wait(&status) > 0);
		winners += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
	CHECK_INT(winners, 1);
}

TEST(where_there_is_no_file_nothing_was_seen)
{
	CHECK_INT(find(1), LOOKUP_NONE);
	CHECK(access(path(), F_OK) < 0);
}

TEST(what_was_kept_is_found_and_nothing_else)
{
	CHECK_INT(keep(1, NOW + 10), 0);
	CHECK_INT(keep(2, NOW + 10), 0);
	CHECK_INT(find(1), LOOKUP_FOUND);
	CHECK_INT(find(2), LOOKUP_FOUND);
	CHECK_INT(find(3), LOOKUP_NONE);
}

TEST(a_mark_is_forgotten_at_its_time)
{
	CHECK_INT(keep(1, NOW + 10), 0);
	CHECK_INT(find_at(1, NOW + 9), LOOKUP_FOUND);
	CHECK_INT(find_at(1, NOW + 10), LOOKUP_NONE);
}

TEST(a_mark_takes_the_place_of_an_earlier_one)
{
	struct stat first, second;

	CHECK_INT(keep(1, NOW + 10), 0);
	REQUIRE(stat(path(), &first) == 0);
	CHECK_INT(keep(1, NOW + 20), 0);
	REQUIRE(stat(path(), &second) == 0);
	CHECK_INT(find_at(1, NOW + 15), LOOKUP_FOUND);
	CHECK_INT(second.st_size, first.st_size);
}

TEST(what_has_expired_leaves_the_file)
{
	struct seen_mark later = mark(2, NOW + 100);
	struct stat first, second;
	struct err err;

	CHECK_INT(keep(1, NOW + 10), 0);
	REQUIRE(stat(path(), &first) == 0);
	CHECK_INT(
		seenfile_keep(path(), &later, 1, NOW + 10, SHORT_MS, &err), 0);
	REQUIRE(stat(path(), &second) == 0);
	CHECK_INT(second.st_size, first.st_size);
}

TEST(the_file_is_its_owners_alone)
{
	struct stat status;

	umask(0);
	CHECK_INT(keep(1, NOW + 10), 0);
	REQUIRE(stat(path(), &status) == 0);
	CHECK_INT(status.st_mode & 07777, 0600);
	CHECK(access(test_path("seen.new"), F_OK) < 0);
}

static void
quiet(void)
{
	log_open(&(struct log_settings){.path = test_path("log"),
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
}

static void
check_starts_anew(struct str bytes)
{
	test_file_bytes("seen", bytes);
	CHECK_INT(find(1), LOOKUP_NONE);
	CHECK_INT(keep(2, NOW + 10), 0);
	CHECK_INT(find(2), LOOKUP_FOUND);
	CHECK_INT(find(1), LOOKUP_NONE);
}

TEST(a_broken_file_starts_anew)
{
	struct str whole;
	size_t i;

	quiet();
	CHECK_INT(keep(1, NOW + 10), 0);
	whole = test_read(path());
	check_starts_anew(STR_EMPTY);
	check_starts_anew(STR("something else, of another program\n"));
	for (i = 0; i < whole.len; i++)
		check_starts_anew(str_slice(whole, 0, i));
}

TEST(a_changed_octet_is_found_wherever_it_is)
{
	static char bytes[4096];
	struct str whole;
	size_t i;

	quiet();
	CHECK_INT(keep(1, NOW + 10), 0);
	whole = test_read(path());
	REQUIRE(whole.len < sizeof(bytes));
	for (i = 0; i < whole.len; i++) {
		memcpy(bytes, whole.data, whole.len);
		bytes[i] ^= 1;
		check_starts_anew(str_of(bytes, whole.len));
	}
}

TEST(a_file_that_is_too_long_is_broken)
{
	static char bytes[1024 * 1024];

	quiet();
	check_starts_anew(str_of(bytes, sizeof(bytes)));
}

TEST(a_link_and_a_fifo_are_not_read)
{
	REQUIRE(symlink(test_file("other", "text"), path()) == 0);
	CHECK_INT(find(1), LOOKUP_ERROR);
	CHECK_INT(keep(1, NOW + 10), -1);
	CHECK_STR_IS(test_read(test_path("other")), "text");
	REQUIRE(unlink(path()) == 0 && mkfifo(path(), 0600) == 0);
	CHECK_INT(find(1), LOOKUP_ERROR);
	CHECK_INT(keep(1, NOW + 10), -1);
}

TEST(the_new_file_is_not_written_through_a_link)
{
	REQUIRE(symlink(test_file("other", "text"), test_path("seen.new")) ==
		0);
	CHECK_INT(keep(1, NOW + 10), -1);
	CHECK_STR_IS(test_read(test_path("other")), "text");
}

TEST(where_nothing_can_be_written_the_old_file_stays)
{
	struct rlimit none = {0, 0};

	CHECK_INT(keep(1, NOW + 10), 0);
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
	CHECK_INT(keep(2, NOW + 10), -1);
	CHECK_INT(find(1), LOOKUP_FOUND);
	CHECK_INT(find(2), LOOKUP_NONE);
	CHECK(access(test_path("seen.new"), F_OK) < 0);
}

TEST(without_a_folder_it_is_an_error)
{
	struct seen_mark one = mark(1, NOW + 10);
	struct err err;

	CHECK_INT(seenfile_keep(
			  test_path("none/seen"), &one, 1, NOW, SHORT_MS, &err),
		-1);
	CHECK(err.kind == ERR_TEMPORARY);
}

TEST(beyond_the_limit_the_first_to_expire_go)
{
	static struct seen_mark many[SEENFILE_MARKS_MAX];
	struct err err;
	unsigned i;

	for (i = 0; i < SEENFILE_MARKS_MAX; i++)
		many[i] = mark(i, NOW + 10 + (i + 5) % SEENFILE_MARKS_MAX);
	CHECK_INT(seenfile_keep(path(), many, SEENFILE_MARKS_MAX, NOW, SHORT_MS,
			  &err),
		0);
	CHECK_INT(keep(SEENFILE_MARKS_MAX, NOW + 50), 0);
	CHECK_INT(find(SEENFILE_MARKS_MAX), LOOKUP_FOUND);
	CHECK_INT(find(SEENFILE_MARKS_MAX - 5), LOOKUP_NONE);
	CHECK_INT(find(SEENFILE_MARKS_MAX - 4), LOOKUP_FOUND);
}

TEST(what_a_killed_process_has_left_is_in_nobodys_way)
{
	CHECK_INT(keep(1, NOW + 10), 0);
	test_file("seen.new", "half of a fi");
	CHECK_INT(find(1), LOOKUP_FOUND);
	CHECK_INT(keep(2, NOW + 10), 0);
	CHECK_INT(find(1), LOOKUP_FOUND);
	CHECK_INT(find(2), LOOKUP_FOUND);
}

TEST(a_lock_that_does_not_end_is_waited_for_in_vain)
{
	int fd = open(test_path("seen.new"), O_WRONLY | O_CREAT, 0600);

	REQUIRE(fd >= 0 && flock(fd, LOCK_EX) == 0);
	CHECK_INT(keep(1, NOW + 10), -1);
	CHECK(access(test_path("seen.new"), F_OK) == 0);
	fd_close(&fd);
	CHECK_INT(keep(1, NOW + 10), 0);
}

/* The lock ends with whoever held it. */
TEST(a_lock_whose_holder_is_killed_is_free)
{
	int ready[2], fd;
	pid_t child;
	char byte;

	REQUIRE(pipe(ready) == 0 && path() != NULL);
	child = fork();
	if (child == 0) {
		fd = open(test_path("seen.new"), O_WRONLY | O_CREAT, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 ||
			write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	CHECK_INT(keep(1, NOW + 10), -1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK_INT(keep(1, NOW + 10), 0);
	CHECK_INT(find(1), LOOKUP_FOUND);
}

enum { WRITERS = 4, EACH = 50 };

static void
write_many(unsigned writer)
{
	unsigned i;

	for (i = 0; i < EACH; i++) {
		struct seen_mark one = mark(writer * EACH + i, NOW + 10);
		struct err err;

		if (seenfile_keep(path(), &one, 1, NOW, LONG_MS, &err) < 0)
			_exit(1);
	}
	_exit(0);
}

TEST(several_processes_lose_no_mark_of_each_other)
{
	unsigned i;
	int status;

	/* The folder has to be there before the others are. */
	REQUIRE(path() != NULL);
	for (i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(i);
	for (i = 0; i < WRITERS; i++) {
		REQUIRE(wait(&status) > 0);
		CHECK_INT(status, 0);
	}
	for (i = 0; i < WRITERS * EACH; i++)
		CHECK_INT(find(i), LOOKUP_FOUND);
}

/* Killed wherever it happens to be: the file is whole, and goes on. */
TEST(a_process_that_is_killed_leaves_a_whole_file)
{
	unsigned round;
	pid_t child;

	CHECK_INT(keep(100000, NOW + 10), 0);
	for (round = 0; round < 40; round++) {
		child = fork();
		if (child == 0)
			for (;;)
				keep(round, NOW + 10);
		(void)!usleep(500 + round * 137);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		CHECK_INT(find(100000), LOOKUP_FOUND);
		CHECK_INT(keep(100001 + round, NOW + 10), 0);
	}
	for (round = 0; round < 40; round++)
		CHECK_INT(find(100001 + round), LOOKUP_FOUND);
}
