/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <unistd.h>

#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct err err;

static const struct store_namespace courier[] = {
	{.prefix = "INBOX.", .separator = '.', .has_inbox = true}};
static const struct store_namespace slashes[] = {
	{.prefix = "", .separator = '/', .has_inbox = true}};

static struct store_settings
with_namespaces(const struct store_namespace *namespaces, size_t count)
{
	struct store_settings settings = box_settings();

	settings.autocreate = true;
	settings.namespaces = namespaces;
	settings.namespace_count = count;
	return settings;
}

TEST(with_a_prefix_both_spellings_reach_one_folder)
{
	struct store_settings settings = with_namespaces(courier, 1);

	CHECK(box_file(&settings, "INBOX.Lists", 0, 0, &err) != NULL);
	CHECK(box_file(&settings, "Lists", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.Lists/new"), 2);
}

TEST(without_a_prefix_inbox_has_folders_of_its_own)
{
	struct store_settings settings = with_namespaces(NULL, 0);

	CHECK(box_file(&settings, "INBOX.Lists", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.INBOX.Lists/new"), 1);
}

TEST(the_separator_of_the_namespace_counts)
{
	struct store_settings settings = with_namespaces(slashes, 1);

	CHECK(box_file(&settings, "Lists/C", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.Lists.C/new"), 1);
	CHECK(box_file(&settings, "v1.0", 0, 0, &err) == NULL);
	CHECK(strstr(err.text, "Maildir++ cannot write") != NULL);
}

TEST(a_namespace_may_have_its_own_location)
{
	const struct store_namespace namespaces[] = {
		{.prefix = "", .has_inbox = true},
		{.prefix = "Shared/",
			.separator = '/',
			.location = "maildir:~/shared:LAYOUT=fs"},
	};
	struct store_settings settings = with_namespaces(namespaces, 2);

	CHECK(box_file(&settings, "Shared/A/B", 0, 0, &err) != NULL);
	CHECK_INT(box_count("shared/A/B/new"), 1);
	CHECK(box_file(&settings, "Shared/INBOX", 0, 0, &err) != NULL);
	CHECK_INT(box_count("shared/new"), 1);
}

TEST(a_namespace_of_an_unknown_kind_troubles_only_its_own_folders)
{
	const struct store_namespace namespaces[] = {
		{.prefix = "", .has_inbox = true},
		{.prefix = "Old/",
			.separator = '/',
			.location = "mdbox:~/mdbox"},
	};
	struct store_settings settings = with_namespaces(namespaces, 2);

	CHECK(box_file(&settings, "Lists", 0, 0, &err) != NULL);
	CHECK(box_file(&settings, "Old/x", 0, 0, &err) == NULL);
	CHECK_STR(err.status, "4.3.5");
	CHECK(strstr(err.detail, "\"mdbox\"") != NULL);
}

TEST(a_driver_that_is_not_there_is_named)
{
	struct store_settings settings = box_settings();
	struct store *store;

	settings.location = "mdbox:~/mail";
	CHECK_INT(store_open(&settings, &store, &err), -1);
	CHECK_STR(err.status, "4.3.5");
	CHECK(strstr(err.detail, "\"mdbox\"") != NULL);
}

TEST(the_path_of_the_inbox_is_told_and_nothing_is_made)
{
	const struct store_namespace elsewhere[] = {{.prefix = "",
		.has_inbox = true,
		.location = "maildir:~/mail:INBOX=~/in"}};
	struct store_settings settings = box_settings();
	struct store *store;
	const char *path;

	REQUIRE(store_open(&settings, &store, &err) == 0);
	CHECK_INT(store_inbox_path(store, &path, &err), 0);
	CHECK_STR(path, test_path("Maildir"));
	CHECK(access(path, F_OK) < 0);
	store_close(&store);
	settings = with_namespaces(elsewhere, 1);
	REQUIRE(store_open(&settings, &store, &err) == 0);
	CHECK_INT(store_inbox_path(store, &path, &err), 0);
	CHECK_STR(path, test_path("in"));
	store_close(&store);
}

TEST(opening_touches_nothing)
{
	struct store_settings settings = box_settings();
	struct store *store = box_open(&settings);

	CHECK_INT(box_count("."), 0);
	store_close(&store);
	CHECK(store == NULL);
	store_close(&store);
}

static bool
found(const struct store_settings *settings, const char *folder)
{
	struct store *store = box_open(settings);
	enum lookup result = store_find_folder(store, str_from(folder), &err);

	store_close(&store);
	CHECK(result != LOOKUP_ERROR);
	return result == LOOKUP_FOUND;
}

TEST(a_folder_is_found_by_every_name_it_has)
{
	struct store_settings settings = with_namespaces(courier, 1);

	CHECK(found(&settings, "INBOX"));
	CHECK(found(&settings, "inbox"));
	CHECK(!found(&settings, "Lists"));
	CHECK(!found(&settings, "../../etc"));
	CHECK(!found(&settings, "a/b"));
	REQUIRE(box_file(&settings, "Lists", 0, 0, &err) != NULL);
	CHECK(found(&settings, "Lists"));
	CHECK(found(&settings, "INBOX.Lists"));
	CHECK(!found(&settings, "Lists.C"));
	CHECK_INT(box_count("Maildir"), 1);
}

TEST(a_folder_that_cannot_be_asked_for_is_an_error_and_not_missing)
{
	struct store_settings settings = box_settings();
	struct store *store;

	box_be_nobody();
	box_make_folder("Maildir", 0000);
	store = box_open(&settings);
	CHECK_INT(store_find_folder(store, STR("Lists"), &err), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	store_close(&store);
}

TEST(a_name_spelled_as_on_disk_is_text_unless_such_a_folder_is_there)
{
	struct store_settings settings = with_namespaces(NULL, 0);

	CHECK(box_file(&settings, "&AOk-", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.&-AOk-/new"), 1);
	/* Both there: the text is what was asked for. */
	CHECK(box_file(&settings, "\xc3\xa9", 0, 0, &err) != NULL);
	CHECK(box_file(&settings, "&AOk-", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.&-AOk-/new"), 2);
	CHECK_INT(box_count("Maildir/.&AOk-/new"), 1);
	/* Only the folder of that name on disk. */
	CHECK(box_file(&settings, "\xc3\xbc", 0, 0, &err) != NULL);
	CHECK(box_file(&settings, "&APw-", 0, 0, &err) != NULL);
	CHECK_INT(box_count("Maildir/.&APw-/new"), 2);
	CHECK(found(&settings, "&APw-"));
	CHECK(!found(&settings, "&APY-"));
}
