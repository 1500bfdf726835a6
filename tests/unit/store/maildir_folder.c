/* SPDX-License-Identifier: MIT */
#include "store/maildir_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

/* ---- making ---- */

TEST(the_inbox_is_made_with_the_folders_above_it)
{
	struct store_settings settings = box_settings();

	settings.location = "maildir:~/srv/amy/Maildir";
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	CHECK_INT(box_count("srv/amy/Maildir"), 3);
	CHECK_INT(box_mode("srv"), 0700);
	CHECK_INT(box_mode("srv/amy/Maildir"), 0700);
	CHECK_INT(box_mode("srv/amy/Maildir/cur"), 0700);
	CHECK_INT(box_count("srv/amy/Maildir/new"), 1);
	CHECK_INT(box_count("srv/amy/Maildir/tmp"), 0);
}

TEST(a_sub_folder_is_marked_in_maildirpp)
{
	struct store_settings settings = box_settings();

	REQUIRE(box_file(&settings, "A.B", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	CHECK_INT(box_count("Maildir/.A.B"), 4);
	CHECK_INT(test_read(test_path("Maildir/.A.B/maildirfolder")).len, 0);
	/* Neither the folder above nor the INBOX was asked for. */
	CHECK_INT(box_count("Maildir"), 1);
}

TEST(a_sub_folder_is_not_marked_in_fs)
{
	struct store_settings settings = box_settings();

	settings.location = "maildir:~/Maildir:LAYOUT=fs";
	REQUIRE(box_file(&settings, "A/B", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	CHECK_INT(box_count("Maildir/A/B"), 3);
	CHECK_INT(box_count("Maildir/A"), 1);
	CHECK_INT(box_count("Maildir/A/B/new"), 1);
}

TEST(a_new_folder_is_as_open_as_the_one_above_it)
{
	struct store_settings settings = box_settings();

	box_make_folder("Maildir", 0750);
	box_make_folder("Maildir/.A", 0770);
	REQUIRE(box_file(&settings, "A.B.C", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	CHECK_INT(box_mode("Maildir/.A.B.C"), 0770);
	CHECK_INT(box_mode("Maildir/.A.B.C/new"), 0770);
	CHECK_INT(box_mode("Maildir/.A.B.C/maildirfolder"), 0660);
	REQUIRE(box_file(&settings, "D", STORE_CREATE_FOLDER, 0, &err) != NULL);
	CHECK_INT(box_mode("Maildir/.D"), 0750);
}

TEST(a_nested_folder_is_as_open_as_the_one_above_it)
{
	struct store_settings settings = box_settings();

	settings.location = "maildir:~/Maildir:LAYOUT=fs";
	box_make_folder("Maildir", 0750);
	REQUIRE(box_file(&settings, "A/B", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	CHECK_INT(box_mode("Maildir/A"), 0750);
	CHECK_INT(box_mode("Maildir/A/B/cur"), 0750);
}

TEST(what_a_backup_left_out_is_made_again)
{
	struct store_settings settings = box_settings();

	REQUIRE(box_file(&settings, "A", STORE_CREATE_FOLDER, 0, &err) != NULL);
	REQUIRE(rmdir(test_path("Maildir/.A/tmp")) == 0);
	CHECK(box_file(&settings, "A", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.A/new"), 2);
}

TEST(a_folder_without_cur_is_none)
{
	struct store_settings settings = box_settings();

	settings.location = "maildir:~/Maildir:LAYOUT=fs";
	REQUIRE(box_file(&settings, "A/B", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	CHECK(box_file(&settings, "A", 0, 0, &err) == NULL);
	CHECK_STR(err.text, "Mailbox doesn't exist: A");
	CHECK_INT(box_count("Maildir/A"), 1);
}

TEST(a_file_in_the_place_of_a_folder_is_no_folder)
{
	struct store_settings settings = box_settings();
	struct store_copy *copy;
	struct store *store;

	settings.autocreate = true;
	test_file("Maildir/.A", "not a folder");
	store = box_open(&settings);
	CHECK_INT(store_write(store, STR("A"), 0, box_content(STR(MAIL)), 0,
			  &copy, &err),
		STORE_NO_FOLDER);
	store_close(&store);
}

TEST(a_file_in_the_place_of_the_root_is_temporary)
{
	struct store_settings settings = box_settings();

	test_file("Maildir", "not a folder");
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK(strstr(err.detail, "Not a directory") != NULL);
}

TEST(a_maildir_may_be_a_symbolic_link)
{
	struct store_settings settings = box_settings();

	box_make_folder("elsewhere", 0700);
	REQUIRE(symlink("elsewhere", test_path("Maildir")) == 0);
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	CHECK_INT(box_count("elsewhere/new"), 1);
}

TEST(a_symbolic_link_to_nowhere_is_said)
{
	struct store_settings settings = box_settings();

	REQUIRE(symlink("nowhere", test_path("Maildir")) == 0);
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "Maildir is a symbolic link that leads "
				 "nowhere") != NULL);
}

TEST(a_home_that_cannot_be_made_is_explained)
{
	struct store_settings settings = box_settings();

	box_be_nobody();
	REQUIRE(chmod(test_folder(), 0500) == 0);
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "mkdir(") != NULL);
	CHECK(strstr(err.detail, "missing +w perm") != NULL);
	REQUIRE(chmod(test_folder(), 0700) == 0);
}

TEST(a_maildir_that_may_not_be_entered_is_explained)
{
	struct store_settings settings = box_settings();

	box_be_nobody();
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	REQUIRE(chmod(test_path("Maildir"), 0600) == 0);
	CHECK(box_file(&settings, "INBOX", 0, 0, &err) == NULL);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "missing +x perm") != NULL);
	REQUIRE(chmod(test_path("Maildir"), 0700) == 0);
}

static void
deliver_a_few(void *context)
{
	const struct store_settings *settings = context;
	int i;

	for (i = 0; i < 5; i++)
		if (box_file(settings, "A.B", 0, 0, &err) == NULL)
			_exit(1);
}

/* The folder is there for one of them while it is made by another. */
TEST(many_may_make_the_same_folder_at_once)
{
	struct store_settings settings = box_settings();
	enum { PROCESSES = 8 };
	pid_t children[PROCESSES];
	int i, status;

	settings.autocreate = settings.autosubscribe = true;
	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		REQUIRE(children[i] >= 0);
		if (children[i] == 0) {
			deliver_a_few(&settings);
			_exit(0);
		}
	}
	for (i = 0; i < PROCESSES; i++) {
		REQUIRE(waitpid(children[i], &status, 0) == children[i]);
		CHECK_INT(status, 0);
	}
	CHECK_INT(box_count("Maildir/.A.B/new"), PROCESSES * 5);
	CHECK_STR_IS(test_read(test_path("Maildir/subscriptions")),
		"V\t2\n\nA\tB\n");
}

/* ---- subscribing ---- */

TEST(only_a_folder_just_made_is_subscribed_to)
{
	struct store_settings settings = box_settings();

	settings.autocreate = true;
	REQUIRE(box_file(&settings, "Old", 0, 0, &err) != NULL);
	CHECK(!box_exists("Maildir/subscriptions"));
	settings.autosubscribe = true;
	REQUIRE(box_file(&settings, "INBOX", 0, 0, &err) != NULL);
	REQUIRE(box_file(&settings, "Old", 0, 0, &err) != NULL);
	CHECK(!box_exists("Maildir/subscriptions"));
	REQUIRE(box_file(&settings, "Entw\xc3\xbcrfe.1", 0, 0, &err) != NULL);
	CHECK_STR_IS(test_read(test_path("Maildir/subscriptions")),
		"V\t2\n\nEntw&APw-rfe\t1\n");
}

TEST(a_folder_may_be_subscribed_to_by_wish_of_the_one_who_files)
{
	struct store_settings settings = box_settings();
	unsigned both = STORE_CREATE_FOLDER | STORE_SUBSCRIBE_FOLDER;

	REQUIRE(box_file(&settings, "Old", STORE_CREATE_FOLDER, 0, &err) !=
		NULL);
	REQUIRE(box_file(&settings, "Old", both, 0, &err) != NULL);
	REQUIRE(box_file(&settings, "INBOX", both, 0, &err) != NULL);
	CHECK(!box_exists("Maildir/subscriptions"));
	REQUIRE(box_file(&settings, "New", both, 0, &err) != NULL);
	CHECK_STR_IS(
		test_read(test_path("Maildir/subscriptions")), "V\t2\n\nNew\n");
}

TEST(subscriptions_are_among_the_control_files)
{
	struct store_settings settings = box_settings();

	settings.autocreate = settings.autosubscribe = true;
	settings.location = "maildir:~/Maildir:LAYOUT=fs:CONTROL=~/ctl/amy";
	REQUIRE(box_file(&settings, "A/B", 0, 0, &err) != NULL);
	CHECK_STR_IS(test_read(test_path("ctl/amy/subscriptions")),
		"V\t2\n\nA\tB\n");
}

TEST(a_subscription_that_fails_costs_no_mail)
{
	struct store_settings settings = box_settings();

	settings.autocreate = settings.autosubscribe = true;
	box_make_folder("Maildir", 0700);
	box_make_folder("Maildir/subscriptions", 0700);
	CHECK(box_file(&settings, "A", 0, 0, &err) != NULL);
}

/* ---- cleaning ---- */

static struct maildir_folder
folder_with_tmp(void)
{
	box_make_folder("tmp", 0700);
	return (struct maildir_folder){.path = test_folder()};
}

/* When a file last changed cannot be set: the clock goes on instead. */
static void
let_hours_pass(int hours)
{
	clock_fix(time(NULL) + hours * 3600, 0, "mx", 1);
}

enum { WEEK_MS = 7 * 24 * 3600 * 1000 };

TEST(what_crashed_deliveries_left_goes_after_36_hours)
{
	struct maildir_folder folder = folder_with_tmp();

	test_file("tmp/1.M2P3.mx", "half a m");
	test_file("tmp/.hidden", "");
	box_make_folder("tmp/folder", 0700);
	let_hours_pass(35);
	maildir_folder_clean(&folder, 1);
	CHECK_INT(box_count("tmp"), 3);
	let_hours_pass(37);
	maildir_folder_clean(&folder, 1);
	CHECK(!box_exists("tmp/1.M2P3.mx"));
	CHECK_INT(box_count("tmp"), 2);
}

TEST(nobody_looks_again_within_the_interval)
{
	struct maildir_folder folder = folder_with_tmp();

	test_file("tmp/1.M2P3.mx", "half a m");
	let_hours_pass(6 * 24);
	maildir_folder_clean(&folder, WEEK_MS);
	CHECK(box_exists("tmp/1.M2P3.mx"));
	let_hours_pass(8 * 24);
	maildir_folder_clean(&folder, WEEK_MS);
	CHECK(!box_exists("tmp/1.M2P3.mx"));
}

TEST(a_cleaning_is_marked_by_the_access_time)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct maildir_folder folder = folder_with_tmp();
	struct stat found;

	REQUIRE(utimensat(AT_FDCWD, test_path("tmp"), old, 0) == 0);
	maildir_folder_clean(&folder, WEEK_MS);
	REQUIRE(stat(test_path("tmp"), &found) == 0);
	CHECK(time(NULL) - found.st_atim.tv_sec < 60);
	CHECK_INT(found.st_mtim.tv_sec, 1000);
}

TEST(a_missing_tmp_is_nothing_to_clean)
{
	struct maildir_folder folder = {.path = test_folder()};

	maildir_folder_clean(&folder, 1);
	CHECK(!box_exists("tmp"));
}
