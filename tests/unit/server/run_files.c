/* SPDX-License-Identifier: MIT */
#include "server/run_files.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static struct run_files
open_good(struct arena *arena)
{
	struct run_files files;
	struct err err;

	REQUIRE(run_files_open(arena, test_folder(), &files, &err) == 0);
	return files;
}

TEST(a_server_is_found_as_long_as_it_runs)
{
	struct arena *arena = arena_open();
	struct run_files files;
	struct err err;
	pid_t pid;

	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_NONE);
	files = open_good(arena);
	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_FOUND);
	CHECK_INT(pid, getpid());
	CHECK_STR_IS(test_read(test_path("master.pid")),
		arena_format(arena, "%ld\n", (long)getpid()));
	run_files_close(&files);
	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_NONE);
	CHECK(access(test_path("master.pid"), F_OK) < 0);
	run_files_close(&files);
	arena_close(&arena);
}

TEST(base_dir_has_one_server)
{
	struct arena *arena = arena_open();
	struct run_files files = open_good(arena), second;
	struct err err;

	CHECK_INT(run_files_open(arena, test_folder(), &second, &err), -1);
	CHECK_STR(err.status, "4.3.5");
	CHECK(strstr(err.detail, arena_format(arena, "process %ld,",
					 (long)getpid())) != NULL);
	run_files_close(&second);
	CHECK(access(test_path("master.pid"), F_OK) == 0);
	run_files_close(&files);
	arena_close(&arena);
}

/* A machine that lost power has one of a process that may be another by now. */
TEST(a_file_that_was_left_behind_is_replaced)
{
	struct arena *arena = arena_open();
	struct run_files files;
	struct err err;
	pid_t pid;

	test_file("master.pid", "1\nlonger than any number\n");
	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_NONE);
	files = open_good(arena);
	CHECK_STR_IS(test_read(test_path("master.pid")),
		arena_format(arena, "%ld\n", (long)getpid()));
	run_files_close(&files);
	arena_close(&arena);
}

/* Children close all they have inherited. */
TEST(a_child_that_ends_does_not_end_the_lock)
{
	struct arena *arena = arena_open();
	struct run_files files = open_good(arena);
	struct err err;
	int status;
	pid_t child = fork(), pid;

	REQUIRE(child >= 0);
	if (child == 0) {
		close(files.fd);
		_exit(0);
	}
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_FOUND);
	run_files_close(&files);
	arena_close(&arena);
}

TEST(a_killed_server_leaves_no_lock)
{
	struct arena *arena = arena_open();
	struct run_files files;
	struct err err;
	int status, ready[2];
	char byte;
	pid_t child, pid;

	test_folder();
	REQUIRE(pipe(ready) == 0);
	REQUIRE((child = fork()) >= 0);
	if (child == 0) {
		files = open_good(arena);
		REQUIRE(write(ready[1], "x", 1) == 1);
		pause();
		_exit(0);
	}
	REQUIRE(read(ready[0], &byte, 1) == 1);
	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_FOUND);
	CHECK_INT(pid, child);
	kill(child, SIGKILL);
	REQUIRE(waitpid(child, &status, 0) == child);
	CHECK_INT(
		run_files_find(arena, test_folder(), &pid, &err), LOOKUP_NONE);
	files = open_good(arena);
	run_files_close(&files);
	arena_close(&arena);
}

TEST(a_link_in_its_place_is_not_followed)
{
	struct arena *arena = arena_open();
	struct run_files files;
	struct err err;

	REQUIRE(symlink(test_file("other", "x"), test_path("master.pid")) == 0);
	CHECK_INT(run_files_open(arena, test_folder(), &files, &err), -1);
	CHECK_STR_IS(test_read(test_path("other")), "x");
	arena_close(&arena);
}

TEST(the_status_is_read_as_it_was_written)
{
	struct arena *arena = arena_open();
	struct run_files files;
	struct run_status status = {.state = RUN_RELOADING,
		.since_s = 1793396358,
		.pid = 44,
		.generation = 3,
		.reloads = 5,
		.error = "a\nstate=running"};
	struct run_status found;
	struct stat file = {0};
	struct err err;

	CHECK_INT(run_files_read(arena, test_folder(), &found, &err),
		LOOKUP_NONE);
	umask(077);
	files = open_good(arena);
	CHECK(stat(test_path("master.pid"), &file) == 0);
	CHECK_UINT(file.st_mode & 07777, 0644);
	REQUIRE(run_files_write(&files, &status, &err) == 0);
	REQUIRE(run_files_read(arena, test_folder(), &found, &err) ==
		LOOKUP_FOUND);
	CHECK_INT(found.state, RUN_RELOADING);
	CHECK_UINT(found.since_s, 1793396358);
	CHECK_INT(found.pid, 44);
	CHECK_UINT(found.generation, 3);
	CHECK_UINT(found.reloads, 5);
	CHECK_STR(found.error, "a state=running");
	CHECK(access(test_path("status.new"), F_OK) < 0);
	run_files_close(&files);
	CHECK(access(test_path("status"), F_OK) < 0);
	arena_close(&arena);
}

TEST(a_folder_that_cannot_be_written_is_named)
{
	struct arena *arena = arena_open();
	struct run_files files;
	struct err err;

	CHECK_INT(run_files_open(arena, "/nonexistent", &files, &err), -1);
	CHECK(strstr(err.detail, "/nonexistent/master.pid") != NULL);
	run_files_close(&files);
	arena_close(&arena);
}
