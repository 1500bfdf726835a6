/* SPDX-License-Identifier: MIT */
#include "base/flush.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

enum { MANY = 50, CREW = 4 };

static int
count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int threads = 0;

	REQUIRE(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		threads += entry->d_name[0] != '.';
	closedir(dir);
	return threads;
}

/* Every fifth is a pipe, which cannot be flushed: EINVAL. */
static void
open_many(int fds[MANY])
{
	int i;

	for (i = 0; i < MANY; i++) {
		int ends[2];

		if (i % 5 == 0) {
			REQUIRE(pipe(ends) == 0);
			fds[i] = ends[0];
			close(ends[1]);
			continue;
		}
		fds[i] = open(test_path("file"), O_WRONLY | O_CREAT, 0600);
		REQUIRE(fds[i] >= 0);
	}
}

static void
check_errors(const int errors[MANY])
{
	int i;

	for (i = 0; i < MANY; i++)
		CHECK_INT(errors[i], i % 5 == 0 ? EINVAL : 0);
}

TEST(each_file_has_its_own_answer)
{
	struct flush_crew *crew = flush_crew_open(CREW);
	int fds[MANY], errors[MANY], round, i;

	open_many(fds);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < MANY; i++)
			errors[i] = -1;
		flush_files(crew, fds, errors, MANY);
		check_errors(errors);
	}
	CHECK_INT(count_threads(), 1 + CREW);
	flush_crew_close(&crew);
	CHECK(crew == NULL);
	CHECK_INT(count_threads(), 1);
}

TEST(without_a_crew_they_are_flushed_one_by_one)
{
	int fds[MANY], errors[MANY];

	open_many(fds);
	flush_files(NULL, fds, errors, MANY);
	check_errors(errors);
}

TEST(one_file_or_none_needs_no_thread)
{
	struct flush_crew *crew = flush_crew_open(CREW);
	int fds[MANY], error = -1;

	open_many(fds);
	flush_files(crew, fds, &error, 0);
	CHECK_INT(error, -1);
	flush_files(crew, &fds[1], &error, 1);
	CHECK_INT(error, 0);
	CHECK_INT(count_threads(), 1);
	flush_crew_close(&crew);
}

TEST(no_more_threads_are_made_than_there_are_files)
{
	struct flush_crew *crew = flush_crew_open(CREW);
	int fds[MANY], errors[MANY];

	open_many(fds);
	flush_files(crew, &fds[1], errors, 3);
	CHECK_INT(count_threads(), 1 + 2);
	flush_crew_close(&crew);
}
