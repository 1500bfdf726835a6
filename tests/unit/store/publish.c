/* SPDX-License-Identifier: MIT */
#include "store/publish.h"

#include <errno.h>
#include <unistd.h>

#include "tests/unit/store/box.h"

#include "base/banned.h"

static void
check_moves(int (*move)(const char *from, const char *to))
{
	const char *from = test_file("tmp/a", "mail");

	box_make_folder("new", 0700);
	CHECK_INT(move(from, test_path("new/b")), 0);
	CHECK(!box_exists("tmp/a"));
	CHECK_STR_IS(test_read(test_path("new/b")), "mail");
}

static void
check_keeps(int (*move)(const char *from, const char *to))
{
	const char *from = test_file("tmp/a", "mail");
	const char *taken = test_file("new/b", "other");

	CHECK_INT(move(from, taken), -1);
	CHECK_INT(errno, EEXIST);
	CHECK_STR_IS(test_read(taken), "other");
	CHECK(box_exists("tmp/a"));
}

TEST(a_file_gets_its_name_by_rename)
{
	check_moves(publish);
}

TEST(a_file_gets_its_name_by_link)
{
	check_moves(publish_by_link);
}

TEST(a_taken_name_stays_with_its_file_by_rename)
{
	check_keeps(publish);
}

TEST(a_taken_name_stays_with_its_file_by_link)
{
	check_keeps(publish_by_link);
}

TEST(a_missing_folder_is_said)
{
	const char *from = test_file("tmp/a", "mail");

	CHECK_INT(publish(from, test_path("new/b")), -1);
	CHECK_INT(errno, ENOENT);
	CHECK_INT(publish_by_link(from, test_path("new/b")), -1);
	CHECK_INT(errno, ENOENT);
	CHECK(box_exists("tmp/a"));
}
