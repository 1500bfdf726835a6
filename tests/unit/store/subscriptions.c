/* SPDX-License-Identifier: MIT */
#include "store/subscriptions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

static int
add(const char *folder)
{
	struct permission permission;

	permission_init_private(&permission);
	err_clear(&err);
	return subscriptions_add(test_path("subscriptions"), str_from(folder),
		'.', &permission, true, &err);
}

static struct str
file(void)
{
	return test_read(test_path("subscriptions"));
}

TEST(a_new_file_is_of_version_2)
{
	CHECK_INT(add("Lists.C"), 0);
	CHECK_STR_IS(file(), "V\t2\n\nLists\tC\n");
	CHECK_INT(add("Junk"), 0);
	CHECK_STR_IS(file(), "V\t2\n\nLists\tC\nJunk\n");
	CHECK_INT(box_mode("subscriptions"), 0600);
	CHECK_INT(box_count("."), 1);
}

TEST(a_file_of_version_1_stays_one)
{
	test_file("subscriptions", "Sent\nLists\n");
	CHECK_INT(add("Lists.C"), 0);
	CHECK_STR_IS(file(), "Sent\nLists\nLists.C\n");
}

TEST(a_folder_is_listed_once)
{
	test_file("subscriptions", "Lists.C\nSent\n");
	CHECK_INT(add("Lists.C"), 0);
	CHECK_INT(add("Sent"), 0);
	CHECK_STR_IS(file(), "Lists.C\nSent\n");
	test_file("subscriptions", "V\t2\n\nLists\tC\nSent\n");
	CHECK_INT(add("Lists.C"), 0);
	CHECK_INT(add("Sent"), 0);
	CHECK_STR_IS(file(), "V\t2\n\nLists\tC\nSent\n");
	CHECK_INT(box_count("."), 1);
}

TEST(part_of_a_name_is_not_the_name)
{
	test_file("subscriptions", "Lists.C.D\nxLists.C\n");
	CHECK_INT(add("Lists.C"), 0);
	CHECK_STR_IS(file(), "Lists.C.D\nxLists.C\nLists.C\n");
}

TEST(a_last_line_without_end_stays_a_line_of_its_own)
{
	test_file("subscriptions", "Sent");
	CHECK_INT(add("Junk"), 0);
	CHECK_STR_IS(file(), "Sent\nJunk\n");
}

TEST(a_file_keeps_its_mode)
{
	test_file("subscriptions", "Sent\n");
	REQUIRE(chmod(test_path("subscriptions"), 0664) == 0);
	CHECK_INT(add("Junk"), 0);
	CHECK_INT(box_mode("subscriptions"), 0664);
}

TEST(a_lock_of_another_is_waited_for_but_not_for_ever)
{
	test_file("subscriptions", "Sent\n");
	test_file("subscriptions.lock", "");
	CHECK_INT(add("Junk"), -1);
	CHECK(strstr(err.detail, "subscriptions.lock") != NULL);
	CHECK(box_exists("subscriptions.lock"));
	CHECK_STR_IS(file(), "Sent\n");
}

TEST(a_lock_that_is_given_back_is_taken)
{
	const struct timespec pause = {0, 300 * 1000000};
	pid_t child;

	test_file("subscriptions.lock", "");
	child = fork();
	REQUIRE(child >= 0);
	if (child == 0) {
		nanosleep(&pause, NULL);
		_exit(unlink(test_path("subscriptions.lock")));
	}
	CHECK_INT(add("Junk"), 0);
	CHECK_STR_IS(file(), "V\t2\n\nJunk\n");
}

TEST(the_lock_of_a_dead_process_is_removed)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	test_file("subscriptions.lock", "half of a li");
	REQUIRE(utimensat(AT_FDCWD, test_path("subscriptions.lock"), old, 0) ==
		0);
	CHECK_INT(add("Junk"), 0);
	CHECK_STR_IS(file(), "V\t2\n\nJunk\n");
	CHECK_INT(box_count("."), 1);
}

TEST(a_file_beyond_the_limit_is_left_alone)
{
	static char big[SUBSCRIPTIONS_MAX_BYTES];

	memset(big, 'x', sizeof(big));
	test_file_bytes("subscriptions", str_of(big, sizeof(big)));
	CHECK_INT(add("Junk"), -1);
	CHECK_INT(file().len, sizeof(big));
	CHECK_INT(box_count("."), 1);
}

TEST(a_folder_that_may_not_be_written_is_explained)
{
	box_be_nobody();
	test_file("subscriptions", "Sent\n");
	REQUIRE(chmod(test_folder(), 0500) == 0);
	CHECK_INT(add("Junk"), -1);
	CHECK(strstr(err.detail, "missing +w perm") != NULL);
	CHECK_STR_IS(file(), "Sent\n");
	REQUIRE(chmod(test_folder(), 0700) == 0);
}
