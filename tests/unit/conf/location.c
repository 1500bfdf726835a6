/* SPDX-License-Identifier: MIT */
#include "conf/location.h"

#include "base/arena.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const char *
merge(const char *location, const char *driver, const char *path,
	const char *layout, const char *utf8)
{
	static struct arena *arena;
	struct conf_location given = {{NULL}, {"", 0}, true};

	given.parts[CONF_LOCATION_DRIVER] = driver;
	given.parts[CONF_LOCATION_PATH] = path;
	given.parts[CONF_LOCATION_LAYOUT] = layout;
	given.parts[CONF_LOCATION_UTF8] = utf8;
	arena_close(&arena);
	arena = arena_open();
	return conf_location_merge(arena, location, &given);
}

TEST(a_path_takes_the_place_of_the_path)
{
	CHECK_STR(merge("maildir:~/Maildir", NULL, "/srv/%u", NULL, NULL),
		"maildir:/srv/%u");
	CHECK_STR(merge("maildir:~/Maildir:LAYOUT=fs", NULL, "/x", NULL, NULL),
		"maildir:/x:LAYOUT=fs");
}

TEST(another_driver_has_its_own_default_path)
{
	CHECK_STR(merge("maildir:~/M:LAYOUT=fs", "mbox", NULL, NULL, NULL),
		"mbox:~/mail");
	CHECK_STR(merge("mbox:/m", "maildir", NULL, NULL, NULL),
		"maildir:~/Maildir");
}

TEST(the_same_driver_changes_nothing)
{
	CHECK_STR(merge("maildir:/m:LAYOUT=fs", "maildir", NULL, NULL, NULL),
		"maildir:/m:LAYOUT=fs");
}

TEST(an_option_replaces_its_like_only)
{
	CHECK_STR(merge("maildir:/m:INBOX=/i:LAYOUT=fs:CONTROL=/c", NULL, NULL,
			  "maildir++", "yes"),
		"maildir:/m:INBOX=/i:CONTROL=/c:LAYOUT=maildir++:UTF-8");
	CHECK_STR(merge("maildir:/m:UTF-8", NULL, NULL, NULL, "no"),
		"maildir:/m");
}

TEST(nothing_to_begin_with_is_no_trouble)
{
	CHECK_STR(merge("", "maildir", "/m", NULL, NULL), "maildir:/m");
}

TEST(only_the_names_of_the_parts_are_found)
{
	enum conf_location_part part;

	CHECK(conf_location_find(STR("mail_inbox_path"), &part));
	CHECK_INT(part, CONF_LOCATION_INBOX);
	CHECK(!conf_location_find(STR("mail_location"), &part));
	CHECK(!conf_location_find(STR(""), &part));
}
