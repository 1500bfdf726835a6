/* Somebody stores mail while maildirsize is counted: rename() is wrapped, so that he
 * comes between the count and the file.
 * SPDX-License-Identifier: MIT */
#include "quota/quota.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static const char *meanwhile; /* changes; NULL: nothing */

int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);

int
__wrap_rename(const char *from, const char *to)
{
	struct timespec times[2];

	if (meanwhile != NULL && strstr(to, "maildirsize") != NULL) {
		clock_gettime(CLOCK_REALTIME, &times[0]);
		times[0].tv_sec += 1;
		times[1] = times[0];
		REQUIRE(utimensat(AT_FDCWD, test_path(meanwhile), times, 0) ==
			0);
	}
	return __real_rename(from, to);
}

static void
count(void)
{
	const struct quota_root_settings root = {
		.number = 1, .spec = "maildir:User"};
	struct store_settings store_settings = box_settings();
	struct store *store = box_open(&store_settings);
	struct quota_settings settings = {.arena = arena_open(),
		.store = store,
		.roots = &root,
		.root_count = 1,
		.full_text = "full"};
	struct quota *quota;
	struct err err;

	REQUIRE(quota_open(&settings, &quota, &err) == 0);
	REQUIRE(quota_recalculate(quota, &err) == 0);
	quota_close(&quota);
	store_close(&store);
	arena_close(&settings.arena);
}

static void
make_maildir(void)
{
	box_make_folder("Maildir", 0700);
	box_make_folder("Maildir/cur", 0700);
	box_make_folder("Maildir/new", 0700);
	box_make_folder("Maildir/tmp", 0700);
	box_make_folder("Maildir/.A", 0700);
	box_make_folder("Maildir/.A/cur", 0700);
	box_make_folder("Maildir/.A/new", 0700);
	box_make_folder("Maildir/.A/tmp", 0700);
	test_file("Maildir/cur/1.x,S=100:2,S", "");
}

TEST(a_count_that_nobody_came_into_is_kept)
{
	make_maildir();
	meanwhile = NULL;
	count();
	CHECK_STR_IS(
		test_read(test_path("Maildir/maildirsize")), "0S\n100 1\n");
}

TEST(a_count_is_not_kept_when_a_folder_changed_meanwhile)
{
	static const char *const folders[] = {"Maildir/new", "Maildir/cur",
		"Maildir/.A/new", "Maildir/.A/cur"};
	size_t i;

	make_maildir();
	for (i = 0; i < ARRAY_LENGTH(folders); i++) {
		meanwhile = folders[i];
		count();
		CHECK(!box_exists("Maildir/maildirsize"));
		meanwhile = NULL;
		count();
		CHECK(box_exists("Maildir/maildirsize"));
	}
}
