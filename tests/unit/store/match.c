/* SPDX-License-Identifier: MIT */
#include "store/match.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

static struct store_settings
fs_settings(void)
{
	struct store_settings settings = box_settings();

	settings.location = "maildir:~/Maildir:LAYOUT=fs";
	return settings;
}

static void
make(const char *disk)
{
	char path[512];

	snprintf(path, sizeof(path), "Maildir/%s/cur/.keep", disk);
	test_file(path, "");
}

/* Which folder a name means; "" for none; lives as long as the process. */
static const char *
match(const struct store_settings *settings, struct str name)
{
	struct store *store = box_open(settings);
	struct str found = STR_EMPTY;
	static char text[512];

	switch (store_match_folder(store, name, &found, &err)) {
	case LOOKUP_ERROR:
		snprintf(text, sizeof(text), "trouble: %s", err_log_text(&err));
		break;
	case LOOKUP_NONE:
		text[0] = '\0';
		break;
	case LOOKUP_FOUND:
		snprintf(text, sizeof(text), "%.*s", STR_ARG(found));
		break;
	}
	store_close(&store);
	return text;
}

static const char *
new_name(const struct store_settings *settings, struct str name)
{
	struct store *store = box_open(settings);
	struct str found = STR_EMPTY;
	static char text[512];
	enum lookup result = store_name_new_folder(store, name, &found, &err);

	CHECK(result != LOOKUP_ERROR);
	snprintf(text, sizeof(text), "%.*s", STR_ARG(found));
	store_close(&store);
	return result == LOOKUP_FOUND ? text : "";
}

TEST(the_exact_spelling_wins)
{
	struct store_settings settings = box_settings();

	make(".lists");
	make(".Lists");
	make(".LISTS");
	CHECK_STR(match(&settings, STR("Lists")), "Lists");
	CHECK_STR(match(&settings, STR("lists")), "lists");
}

TEST(else_any_case_is_found)
{
	struct store_settings settings = box_settings();

	make(".Lists.C");
	CHECK_STR(match(&settings, STR("lists.c")), "Lists.C");
	CHECK_STR(match(&settings, STR("lists.d")), "");
	CHECK_STR(match(&settings, STR("lists")), "");
	CHECK_STR(match(&settings, STR("ists.c")), "");
}

TEST(of_several_the_one_that_agrees_longest_is_taken)
{
	struct store_settings settings = box_settings();

	make(".LISTS.c");
	make(".Lists.C");
	make(".LiSTS.C");
	CHECK_STR(match(&settings, STR("Lists.c")), "Lists.C");
	CHECK_STR(match(&settings, STR("lists.c")), "LISTS.c");
}

TEST(letters_beyond_ascii_have_a_case_too)
{
	struct store_settings settings = box_settings();

	make(".Entw&APw-rfe");
	CHECK_STR(match(&settings, STR("ENTW\xc3\x9cRFE")), "Entw\xc3\xbcrfe");
	settings.location = "maildir:~/Maildir:UTF-8";
	make(".\xc3\x84pfel");
	CHECK_STR(match(&settings, STR("\xc3\xa4pfel")), "\xc3\x84pfel");
}

TEST(each_level_is_matched_in_fs_layout)
{
	struct store_settings settings = fs_settings();

	make("Lists/Users/C");
	make("lists/D");
	CHECK_STR(match(&settings, STR("lists/users/c")), "Lists/Users/C");
	CHECK_STR(match(&settings, STR("Lists/d")), "lists/D");
	/* It has no cur/: no folder to put mail into. */
	CHECK_STR(match(&settings, STR("LISTS/users")), "");
}

TEST(a_folder_that_mail_cannot_be_put_into_is_passed_over)
{
	struct store_settings settings = box_settings();

	make(".Lists");
	box_make_folder("Maildir/.LISTS", 0700);
	CHECK_STR(match(&settings, STR("lists")), "Lists");
}

TEST(the_inbox_is_found_in_any_case)
{
	struct store_settings settings = box_settings();

	CHECK_STR(match(&settings, STR("iNbOx")), "iNbOx");
	settings = fs_settings();
	CHECK_STR(match(&settings, STR("inbox")), "inbox");
}

TEST(the_prefix_of_the_namespace_is_put_before_what_is_found)
{
	static const struct store_namespace courier[] = {
		{.prefix = "INBOX.", .separator = '.', .has_inbox = true}};
	struct store_settings settings = box_settings();

	settings.namespaces = courier;
	settings.namespace_count = 1;
	make(".Lists");
	CHECK_STR(match(&settings, STR("lists")), "INBOX.Lists");
	CHECK_STR(match(&settings, STR("inbox.lists")), "INBOX.Lists");
}

TEST(the_separator_of_the_namespace_is_used)
{
	static const struct store_namespace slashes[] = {
		{.prefix = "", .separator = '/', .has_inbox = true}};
	struct store_settings settings = box_settings();

	settings.namespaces = slashes;
	settings.namespace_count = 1;
	make(".Lists.C");
	CHECK_STR(match(&settings, STR("lists/c")), "Lists/C");
}

TEST(no_name_leaves_the_namespace_of_the_inbox)
{
	static const struct store_namespace both[] = {
		{.prefix = "", .separator = '/', .has_inbox = true},
		{.prefix = "Shared/",
			.separator = '/',
			.location = "maildir:~/shared:LAYOUT=fs"}};
	struct store_settings settings = fs_settings();

	settings.namespaces = both;
	settings.namespace_count = 2;
	test_file("shared/Team/cur/.keep", "");
	/* One that the prefix of the other hides. */
	make("Shared/Team");
	CHECK_STR(match(&settings, STR("Shared/Team")), "");
	CHECK_STR(match(&settings, STR("shared/team")), "");
	CHECK_STR(match(&settings, STR("Shared/")), "");
	CHECK_STR(new_name(&settings, STR("Shared/New")), "");
}

TEST(a_hostile_name_is_nobodys)
{
	static const char *const names[] = {"..", "../Lists", "a/../Lists",
		"/etc", "./Lists", "Lists/", "/Lists", "Lists//C", "~", "~amy",
		"cur", "Lists/new", "dovecot-uidlist", "a\rb", "\x7f", "\xff",
		"subscriptions"};
	char long_name[4096];
	struct store_settings settings = fs_settings();
	size_t i;

	make("Lists/C");
	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		CHECK_STR(match(&settings, str_from(names[i])), "");
		CHECK_STR(new_name(&settings, str_from(names[i])), "");
	}
	memset(long_name, 'a', sizeof(long_name));
	for (i = 256; i <= sizeof(long_name); i *= 2) {
		struct str name = str_of(long_name, i);

		CHECK_STR(match(&settings, name), "");
		CHECK_STR(new_name(&settings, name), "");
	}
	CHECK_STR(match(&settings, STR("Lists\0/C")), "");
	CHECK_STR(match(&settings, STR_EMPTY), "");
}

TEST(odd_names_on_disk_are_passed_over)
{
	struct store_settings settings = box_settings();

	make(".&Jjo");
	make(".\xff");
	make("..Lists");
	make(".Lists.");
	test_file("Maildir/.LISTS", "no folder");
	CHECK_STR(match(&settings, STR("&jjo")), "");
	CHECK_STR(match(&settings, STR("lists")), "");
	make(".Lists");
	CHECK_STR(match(&settings, STR("lists")), "Lists");
}

TEST(a_mailbox_that_is_not_there_has_no_folders)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	size_t count = 1;

	CHECK_STR(match(&settings, STR("lists")), "");
	CHECK_INT(store_count_folders(store, 10, &count, &err), LOOKUP_FOUND);
	CHECK_INT(count, 0);
	store_close(&store);
}

TEST(a_mailbox_that_cannot_be_looked_at_is_trouble)
{
	struct store_settings settings = box_settings();

	box_be_nobody();
	make(".Lists");
	REQUIRE(chmod(test_path("Maildir"), 0) == 0);
	CHECK(strncmp(match(&settings, STR("lists")), "trouble", 7) == 0);
	CHECK_STR(err.status, "4.3.0");
	/* The exact name can be looked for without reading the folder. */
	REQUIRE(chmod(test_path("Maildir"), 0100) == 0);
	CHECK_STR(match(&settings, STR("Lists")), "Lists");
	CHECK(strncmp(match(&settings, STR("lists")), "trouble", 7) == 0);
	REQUIRE(chmod(test_path("Maildir"), 0700) == 0);
}

TEST(a_new_folder_goes_below_the_ones_that_are_there)
{
	struct store_settings settings = box_settings();

	make(".Lists");
	make(".Lists.Dev");
	CHECK_STR(new_name(&settings, STR("lists.dev.c")), "Lists.Dev.c");
	CHECK_STR(new_name(&settings, STR("lists.new.c")), "Lists.new.c");
	CHECK_STR(new_name(&settings, STR("other.new")), "other.new");
	CHECK_STR(new_name(&settings, STR("other")), "other");
	CHECK_STR(new_name(&settings, STR("lists/other")), "");
}

TEST(folders_are_counted_up_to_a_limit)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);
	size_t count = 0;

	make(".Lists");
	make(".Lists.C");
	make(".Lists.D");
	CHECK_INT(store_count_folders(store, 10, &count, &err), LOOKUP_FOUND);
	CHECK_INT(count, 3);
	CHECK_INT(store_count_folders(store, 2, &count, &err), LOOKUP_FOUND);
	CHECK_INT(count, 2);
	store_close(&store);
}

TEST(folders_are_counted_at_every_level)
{
	struct store_settings settings = fs_settings();
	struct store *store = box_open(&settings);
	size_t count = 0;

	make(".");
	make("Lists");
	make("Lists/C");
	make("Lists/C/Old");
	make("Trash");
	CHECK_INT(store_count_folders(store, 10, &count, &err), LOOKUP_FOUND);
	CHECK_INT(count, 4);
	CHECK_INT(store_count_folders(store, 3, &count, &err), LOOKUP_FOUND);
	CHECK_INT(count, 3);
	store_close(&store);
}
