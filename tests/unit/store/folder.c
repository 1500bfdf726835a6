/* SPDX-License-Identifier: MIT */
#include "store/folder.h"

#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct err err;

static const struct folder_rules dots = {STORE_LAYOUT_MAILDIRPP, '.', false};
static const struct folder_rules slashes = {STORE_LAYOUT_MAILDIRPP, '/', false};
static const struct folder_rules nested = {STORE_LAYOUT_FS, '/', false};
static const struct folder_rules dots_nested = {STORE_LAYOUT_FS, '.', false};
static const struct folder_rules plain = {STORE_LAYOUT_MAILDIRPP, '.', true};

static int
map_str(const struct folder_rules *rules, struct str name,
	struct folder *folder)
{
	if (arena == NULL)
		arena = arena_open();
	err_clear(&err);
	return folder_map(arena, rules, STR_EMPTY, name, folder, &err);
}

static const char *
disk(const struct folder_rules *rules, const char *name)
{
	struct folder folder;

	if (map_str(rules, str_from(name), &folder) < 0)
		return NULL;
	return folder.disk;
}

TEST(a_name_is_split_by_the_separator_and_joined_as_the_layout_says)
{
	CHECK_STR(disk(&dots, "Lists.C"), ".Lists.C");
	CHECK_STR(disk(&slashes, "Lists/C"), ".Lists.C");
	CHECK_STR(disk(&nested, "Lists/C"), "Lists/C");
	CHECK_STR(disk(&dots_nested, "Lists.C"), "Lists/C");
	CHECK_STR(disk(&nested, "a.b/c"), "a.b/c");
}

TEST(a_name_on_disk_is_modified_utf7_unless_utf8_is_asked_for)
{
	CHECK_STR(disk(&dots, "Entw\xc3\xbcrfe"), ".Entw&APw-rfe");
	CHECK_STR(disk(&plain, "Entw\xc3\xbcrfe"), ".Entw\xc3\xbcrfe");
	CHECK_STR(disk(&dots, "R&D"), ".R&-D");
	CHECK_STR(disk(&plain, "R&D"), ".R&D");
	/* Runs do not cross a separator. */
	CHECK_STR(disk(&slashes, "\xc3\xa9/\xc3\xa9"), ".&AOk-.&AOk-");
	CHECK_STR(disk(&nested, "\xc3\xa9/\xc3\xa9"), "&AOk-/&AOk-");
}

TEST(nothing_behind_the_prefix_is_the_inbox)
{
	struct folder folder;

	REQUIRE(map_str(&dots, STR_EMPTY, &folder) == 0);
	CHECK(folder.is_inbox);
	CHECK_STR(folder.disk, "");
	CHECK_STR_IS(folder.name, "INBOX");
}

TEST(a_first_part_inbox_is_written_in_capitals)
{
	struct folder folder;

	CHECK_STR(disk(&dots, "inbox.Lists"), ".INBOX.Lists");
	CHECK_STR(disk(&nested, "Inbox/Lists"), "INBOX/Lists");
	CHECK_STR(disk(&dots, "inboxes"), ".inboxes");
	REQUIRE(folder_map(arena, &dots, STR("INBOX."), STR("inbox.x"), &folder,
			&err) == 0);
	CHECK_STR(folder.disk, ".inbox.x");
	CHECK_STR_IS(folder.name, "INBOX.inbox.x");
}

TEST(a_name_that_no_folder_can_have_is_refused)
{
	static const struct {
		const struct folder_rules *rules;
		const char *name, *why;
	} bad[] = {
		{&dots, ".", "empty"},
		{&dots, "..", "empty"},
		{&dots, ".a", "empty"},
		{&dots, "a.", "empty"},
		{&dots, "a..b", "empty"},
		{&slashes, "a//b", "empty"},
		{&slashes, "/a", "empty"},
		{&nested, "/etc", "empty"},
		{&nested, "a/", "empty"},
		{&nested, "..", "is \".\" or \"..\""},
		{&nested, "../../etc", "is \".\" or \"..\""},
		{&nested, "a/../../b", "is \".\" or \"..\""},
		{&nested, "a/.", "is \".\" or \"..\""},
		{&slashes, "../x", "is \".\" or \"..\""},
		{&slashes, "a/../b", "is \".\" or \"..\""},
		{&dots, "a/b", "\"/\""},
		{&dots, "../b", "empty"},
		{&dots_nested, "a/b", "\"/\""},
		{&plain, "a/b", "\"/\""},
		{&slashes, "a.b/c", "has a \".\", which"},
		{&dots, "~root", "\"~\""},
		{&nested, "~/x", "\"~\""},
		{&nested, "new", "mail store"},
		{&nested, "a/cur", "mail store"},
		{&nested, "tmp/a", "mail store"},
		{&nested, "subscriptions", "mail store"},
		{&nested, "dovecot.index", "mail store"},
		{&dots, "a\nb", "control"},
		{&dots, "a\x7f", "control"},
		{&dots, "a\xc2\x85", "control"},
		{&dots, "a\xff", "UTF-8"},
		{&plain, "a\xc3", "UTF-8"},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad); i++) {
		if (!CHECK(disk(bad[i].rules, bad[i].name) == NULL))
			printf("# %s\n", bad[i].name);
		else if (!CHECK(strstr(err.text, bad[i].why) != NULL))
			printf("# %s: %s\n", bad[i].name, err.text);
		CHECK_INT(err.kind, ERR_TEMPORARY);
	}
}

TEST(a_refusal_says_where_the_name_was_cut)
{
	CHECK(disk(&dots, "../x") == NULL);
	CHECK_STR(err.text,
		"folder name \"../x\" is not allowed: with separator "
		"\".\" a part of it is empty");
	CHECK(disk(&dots, "~x") == NULL);
	CHECK_STR(err.text,
		"folder name \"~x\" is not allowed: it begins with \"~\"");
}

TEST(a_nul_does_not_cut_a_name)
{
	struct folder folder;

	CHECK_INT(map_str(&dots, STR("a\0b"), &folder), -1);
	CHECK(strstr(err.text, "control") != NULL);
}

TEST(a_name_longer_than_a_file_system_takes_is_refused)
{
	char name[3000];
	struct folder folder;

	memset(name, 'a', sizeof(name));
	/* Maildir++ adds a dot. */
	CHECK_INT(map_str(&dots, str_of(name, 254), &folder), 0);
	CHECK_INT(map_str(&dots, str_of(name, 255), &folder), -1);
	CHECK_INT(map_str(&nested, str_of(name, 255), &folder), 0);
	CHECK_INT(map_str(&nested, str_of(name, 256), &folder), -1);
	name[100] = '/';
	CHECK_INT(map_str(&nested, str_of(name, 300), &folder), 0);
	CHECK_INT(map_str(&slashes, str_of(name, 300), &folder), -1);
	memset(name, '&', sizeof(name));
	CHECK_INT(map_str(&dots, str_of(name, 128), &folder), -1);
	CHECK_INT(map_str(&plain, str_of(name, 128), &folder), 0);
	for (size_t i = 1; i < sizeof(name); i += 2)
		name[i] = '/';
	CHECK_INT(map_str(&nested, str_of(name, 2999), &folder), -1);
}

TEST(a_refusal_shows_only_text)
{
	CHECK(disk(&dots, "a\n\xff"
			  "b") == NULL);
	CHECK(strstr(err.text, "\"a?\xef\xbf\xbd"
			       "b\"") != NULL);
}

TEST(a_name_spelled_as_on_disk_is_offered_as_second_choice)
{
	struct folder folder;

	REQUIRE(map_str(&dots, STR("Gel&APY-scht"), &folder) == 0);
	CHECK_STR(folder.disk, ".Gel&-APY-scht");
	CHECK_STR(folder.literal, ".Gel&APY-scht");
	REQUIRE(map_str(&dots, STR("R&D"), &folder) == 0);
	CHECK_STR(folder.literal, NULL);
	REQUIRE(map_str(&plain, STR("Gel&APY-scht"), &folder) == 0);
	CHECK_STR(folder.literal, NULL);
	/* Base64 may have a "/"'s worth, but never a separator: "," is its 63. */
	REQUIRE(map_str(&nested, STR("&U,BTFw-"), &folder) == 0);
	CHECK_STR(folder.literal, "&U,BTFw-");
}

TEST(the_parent_of_a_folder_is_one_level_up)
{
	arena = arena_open();
	CHECK_STR(folder_parent(arena, STORE_LAYOUT_MAILDIRPP, ".a.b"), ".a");
	CHECK_STR(folder_parent(arena, STORE_LAYOUT_MAILDIRPP, ".a"), "");
	CHECK_STR(folder_parent(arena, STORE_LAYOUT_FS, "a/b/c"), "a/b");
	CHECK_STR(folder_parent(arena, STORE_LAYOUT_FS, "a"), "");
}

/* ---- namespaces ---- */

static const struct store_namespace one[] = {{.prefix = "", .has_inbox = true}};
static const struct store_namespace courier[] = {
	{.prefix = "INBOX.", .has_inbox = true}};
static const struct store_namespace several[] = {
	{.prefix = "INBOX.", .has_inbox = true},
	{.prefix = "Shared."},
	{.prefix = "Shared.Team."},
};
static const char separators[] = "...";

/* "1:Lists", "0:" or NULL. */
static const char *
place(const struct store_namespace *namespaces, size_t count, const char *name)
{
	struct str rest;
	size_t index;

	if (arena == NULL)
		arena = arena_open();
	err_clear(&err);
	if (folder_find_namespace(namespaces, separators, count, str_from(name),
		    &index, &rest, &err) < 0)
		return NULL;
	return arena_format(arena, "%zu:%.*s", index, STR_ARG(rest));
}

TEST(inbox_in_any_case_is_the_inbox)
{
	CHECK_STR(place(one, 1, "INBOX"), "0:");
	CHECK_STR(place(one, 1, "inbox"), "0:");
	CHECK_STR(place(courier, 1, "Inbox"), "0:");
	CHECK_STR(place(courier, 1, "INBOX.INBOX"), "0:");
	CHECK_STR(place(several, 3, "Shared.INBOX"), "1:");
}

TEST(with_a_prefix_the_name_with_and_without_it_are_one_folder)
{
	CHECK_STR(place(courier, 1, "INBOX.Lists"), "0:Lists");
	CHECK_STR(place(courier, 1, "Lists"), "0:Lists");
	CHECK_STR(place(courier, 1, "inbox.Lists.C"), "0:Lists.C");
}

TEST(without_a_prefix_inbox_is_a_folder_like_others_above_its_own)
{
	CHECK_STR(place(one, 1, "INBOX.Lists"), "0:INBOX.Lists");
	CHECK_STR(place(one, 1, "Lists"), "0:Lists");
}

TEST(a_namespace_without_prefix_takes_what_fits_no_other)
{
	static const struct store_namespace namespaces[] = {
		{.prefix = "INBOX.", .has_inbox = true},
		{.prefix = ""},
	};

	CHECK_STR(place(namespaces, 2, "Lists"), "1:Lists");
	CHECK_STR(place(namespaces, 2, "INBOX.Lists"), "0:Lists");
	CHECK_STR(place(namespaces, 2, "INBOX"), "0:");
}

TEST(the_longest_prefix_wins)
{
	CHECK_STR(place(several, 3, "Shared.Team.x"), "2:x");
	CHECK_STR(place(several, 3, "Shared.Teams"), "1:Teams");
	CHECK_STR(place(several, 3, "Other"), "0:Other");
	/* Only INBOX is the same in any case. */
	CHECK_STR(place(several, 3, "shared.x"), "0:shared.x");
}

TEST(the_name_of_a_namespace_is_no_folder)
{
	CHECK_STR(place(several, 3, "Shared"), NULL);
	CHECK_STR(place(several, 3, "Shared."), NULL);
	CHECK_STR(place(several, 3, "Shared.Team"), NULL);
	CHECK_STR(place(courier, 1, "INBOX."), NULL);
	CHECK_STR(place(courier, 1, ""), NULL);
	CHECK_STR(place(one, 1, ""), NULL);
}
