/* SPDX-License-Identifier: MIT */
#include "store/location.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct err err;

static int
parse(const char *text, const char *home, struct location *location)
{
	if (arena == NULL)
		arena = arena_open();
	err_clear(&err);
	return location_parse(arena, text, home, location, &err);
}

TEST(a_plain_location_has_its_inbox_and_control_files_at_the_root)
{
	struct location location;

	REQUIRE(parse("maildir:/srv/amy/", NULL, &location) == 0);
	CHECK_STR(location.driver, "maildir");
	CHECK_STR(location.root, "/srv/amy");
	CHECK_STR(location.inbox, "/srv/amy");
	CHECK_STR(location.control, "/srv/amy");
	CHECK_STR(location.subscriptions, "subscriptions");
	CHECK(!location.has_layout);
	CHECK(!location.utf8);
}

TEST(relative_paths_start_at_home)
{
	struct location location;

	REQUIRE(parse("maildir:~/Maildir", "/home/amy/", &location) == 0);
	CHECK_STR(location.root, "/home/amy/Maildir");
	REQUIRE(parse("maildir:Maildir", "/home/amy", &location) == 0);
	CHECK_STR(location.root, "/home/amy/Maildir");
	REQUIRE(parse("maildir:~", "/home/amy/", &location) == 0);
	CHECK_STR(location.root, "/home/amy");
	REQUIRE(parse("maildir:~/", "/home/amy", &location) == 0);
	CHECK_STR(location.root, "/home/amy");
}

TEST(options_are_understood_in_any_case_and_order)
{
	struct location location;

	REQUIRE(parse("maildir:~/m:UTF-8:layout=FS:INBOX=/var/in:"
		      "CONTROL=~/ctl:SUBSCRIPTIONS=subs",
			"/h", &location) == 0);
	CHECK(location.has_layout);
	CHECK_INT(location.layout, STORE_LAYOUT_FS);
	CHECK(location.utf8);
	CHECK_STR(location.inbox, "/var/in");
	CHECK_STR(location.control, "/h/ctl");
	CHECK_STR(location.subscriptions, "subs");
	REQUIRE(parse("maildir:/m:LAYOUT=Maildir++", NULL, &location) == 0);
	CHECK_INT(location.layout, STORE_LAYOUT_MAILDIRPP);
}

TEST(options_about_indexes_change_nothing)
{
	struct location location;

	CHECK_INT(parse("maildir:/m:INDEX=/i:INDEX=MEMORY:VOLATILEDIR=/v:"
			"LISTINDEX=x:NO-NOSELECT:",
			  NULL, &location),
		0);
	CHECK_STR(location.root, "/m");
}

TEST(two_colons_are_one_in_a_path)
{
	struct location location;

	REQUIRE(parse("maildir:/srv/a::b:UTF-8", NULL, &location) == 0);
	CHECK_STR(location.root, "/srv/a:b");
	CHECK(location.utf8);
}

TEST(a_location_that_cannot_be_is_refused)
{
	static const struct {
		const char *text, *home, *why;
	} bad[] = {
		{NULL, "/h", "not set"},
		{"", "/h", "not set"},
		{"/home/amy/Maildir", "/h", "begin with a driver"},
		{"~/Maildir:LAYOUT=fs", "/h", "begin with a driver"},
		{"Maildir", "/h", "begin with a driver"},
		{"maildir:", "/h", "empty path"},
		{"maildir::UTF-8", "/h", "empty path"},
		{"maildir:~/Maildir", NULL, "no home"},
		{"maildir:~/Maildir", "", "no home"},
		{"maildir:Maildir", NULL, "no home"},
		{"maildir:~bob/Maildir", "/h", "another user"},
		{"maildir:/m:LAYOUT=index", "/h", "maildir++ or fs"},
		{"maildir:/m:LAYOUT", "/h", "unknown option \"LAYOUT\""},
		{"maildir:/m:UTF-8=yes", "/h", "unknown option"},
		{"maildir:/m:FOO=1", "/h", "unknown option \"FOO=1\""},
		{"maildir:/m:INBOX=", "/h", "empty path"},
		{"maildir:/m:DIRNAME=x", "/h", "not supported"},
		{"maildir:/m:SUBSCRIPTIONS=../x", "/h", "not a path"},
	};
	struct location location;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad); i++) {
		CHECK_INT(parse(bad[i].text, bad[i].home, &location), -1);
		CHECK_STR(err.status, "4.3.5");
		if (!CHECK(strstr(err.detail, bad[i].why) != NULL))
			printf("# %s: %s\n", bad[i].text, err.detail);
	}
}
