/* SPDX-License-Identifier: MIT */
#include "store/uidlist.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/store/box.h"

#include "base/banned.h"

#define GUID "3085f01b7f11094c501100008c4a11c1"

static struct err err;
static char id[100];

static enum lookup
look(void)
{
	struct arena *arena = arena_open();
	struct str found = STR_EMPTY;
	enum lookup result = uidlist_id(arena, test_folder(), &found, &err);

	snprintf(id, sizeof(id), "%.*s", STR_ARG(found));
	arena_close(&arena);
	return result;
}

TEST(the_id_stands_in_the_first_line)
{
	test_file("dovecot-uidlist",
		"3 V1275660208 N25022 G" GUID "\n25006 :1.M2P3.mx\n");
	CHECK_INT(look(), LOOKUP_FOUND);
	CHECK_STR(id, GUID);
}

TEST(without_a_file_there_is_no_id)
{
	CHECK_INT(look(), LOOKUP_NONE);
}

TEST(a_file_that_names_none_gives_none)
{
	static const char *const texts[] = {"", "1 1275660208 25022\n",
		"3 V1275660208 N25022\n1 G" GUID " :x\n", "2 V1 N2 G" GUID "\n",
		"3 V1 N2 Gno-hexadecimal\n", "3 V1 N2 G\n", "3 V1 N2 G3085f01b",
		"\n"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(texts); i++) {
		test_file("dovecot-uidlist", texts[i]);
		CHECK_INT(look(), LOOKUP_NONE);
	}
}

TEST(a_fifo_in_its_place_does_not_hold_up_the_mail)
{
	REQUIRE(mkfifo(test_path("dovecot-uidlist"), 0600) == 0);
	CHECK_INT(look(), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
}

/* ---- folders by their ids ---- */

static void
give_id(const char *folder, const char *text)
{
	char name[256];
	size_t i;
	static const char *const parts[] = {"", "/cur", "/new", "/tmp"};

	for (i = 0; i < ARRAY_LENGTH(parts); i++) {
		snprintf(name, sizeof(name), "%s%s", folder, parts[i]);
		if (!box_exists(name))
			box_make_folder(name, 0700);
	}
	snprintf(name, sizeof(name), "%s/dovecot-uidlist", folder);
	test_file(name, text);
}

TEST(a_folder_is_found_by_its_id_whatever_its_name)
{
	struct store_settings settings = box_settings();
	struct store *store;
	struct str name;

	give_id("Maildir", "3 V1 N2 G" GUID "\n");
	give_id("Maildir/.Entw&APw-rfe.Neu", "3 V1 N2 Gabc1\n");
	give_id("Maildir/.Other", "3 V1 N2 Gabc2\n");
	store = box_open(&settings);
	CHECK_INT(store_find_id(store, STR("abc1"), &name, &err), LOOKUP_FOUND);
	CHECK_STR_IS(name, "Entwürfe.Neu");
	CHECK_INT(store_find_id(store, STR("ABC2"), &name, &err), LOOKUP_NONE);
	CHECK_INT(store_find_id(store, STR("abc2"), &name, &err), LOOKUP_FOUND);
	CHECK_STR_IS(name, "Other");
	CHECK_INT(store_find_id(store, STR(GUID), &name, &err), LOOKUP_FOUND);
	CHECK_STR_IS(name, "INBOX");
	CHECK_INT(store_find_id(store, STR("abc3"), &name, &err), LOOKUP_NONE);
	CHECK_INT(store_folder_id(store, STR("inbox"), &name, &err),
		LOOKUP_FOUND);
	CHECK_STR_IS(name, GUID);
	CHECK_INT(
		store_folder_id(store, STR("Gone"), &name, &err), LOOKUP_NONE);
	store_close(&store);
}

TEST(names_have_their_namespaces_prefix)
{
	static const struct store_namespace spaces[] = {
		{.prefix = "INBOX.", .has_inbox = true},
		{.prefix = "Old/",
			.separator = '/',
			.location = "maildir:~/old:LAYOUT=fs"}};
	struct store_settings settings = box_settings();
	struct store *store;
	struct str name;

	settings.namespaces = spaces;
	settings.namespace_count = 2;
	give_id("Maildir", "3 V1 N2 G01\n");
	give_id("Maildir/.A.B", "3 V1 N2 G02\n");
	give_id("old", "");
	give_id("old/C", "3 V1 N2 G03\n");
	give_id("old/C/D", "3 V1 N2 G04\n");
	store = box_open(&settings);
	CHECK_INT(store_find_id(store, STR("02"), &name, &err), LOOKUP_FOUND);
	CHECK_STR_IS(name, "INBOX.A.B");
	CHECK_INT(store_find_id(store, STR("04"), &name, &err), LOOKUP_FOUND);
	CHECK_STR_IS(name, "Old/C/D");
	store_close(&store);
}

TEST(an_mbox_has_no_ids)
{
	struct store_settings settings = box_settings();
	struct store *store;
	struct str name;

	settings.location = "mbox:~/mail";
	store = box_open(&settings);
	CHECK_INT(
		store_folder_id(store, STR("INBOX"), &name, &err), LOOKUP_NONE);
	CHECK_INT(store_find_id(store, STR("01"), &name, &err), LOOKUP_NONE);
	store_close(&store);
}
