/* The external lists of the settings (RFC 6134), asked by a delivery's scripts
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/extlists.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST_SETTINGS = 4 };

struct world {
	struct arena *arena;
	struct message *message;
	struct job job;
	struct delivery delivery;
};

static const struct settings *
load(struct arena *arena, const char *const *overrides, size_t count)
{
	const struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = overrides,
		.override_count = count};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

/* `lists` are values of sieve_extlists_list and its like, NULL at the end. */
static void
begin(struct world *world, const char *const *lists, const char *script)
{
	static const char plain[] = "From: Ada@Example.org\n\ntext\n";
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000};
	const char *overrides[MOST_SETTINGS];
	struct err err;
	size_t count;

	memset(world, 0, sizeof(*world));
	world->arena = arena_open();
	log_open(&(struct log_settings){.path = test_path("log"),
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
	for (count = 0; lists[count] != NULL; count++)
		overrides[count] =
			count == 0 ? arena_format(world->arena,
					     "sieve_extlists_list=%s",
					     lists[count])
				   : arena_format(world->arena,
					     "sieve_extlists_list%zu=%s",
					     count + 1, lists[count]);
	REQUIRE(message_open_bytes(
			str_from(plain), &limits, &world->message, &err) == 0);
	world->delivery = (struct delivery){.user = "amy",
		.home = test_path("amy"),
		.settings = load(world->arena, overrides, count)};
	world->job = (struct job){.arena = world->arena,
		.message = world->message,
		.sender = {.text = STR("ada@partner.example")},
		.sender_is_known = true,
		.service = "lmtp",
		.session = "S",
		.deliveries = &world->delivery,
		.count = 1};
	if (mkdir(world->delivery.home, 0700) < 0)
		REQUIRE(access(world->delivery.home, F_OK) == 0);
	test_file("amy/.dovecot.sieve", script);
}

static void
finish(struct world *world)
{
	message_close(&world->message);
	log_close();
	arena_close(&world->arena);
}

static enum deliver_outcome
deliver(const char *const *lists, const char *script)
{
	struct world world;
	enum deliver_outcome outcome;

	begin(&world, lists, script);
	deliver_job(&world.job);
	outcome = world.delivery.outcome;
	if (outcome == DELIVER_FAILED)
		CHECK_INT(world.delivery.err.kind, ERR_TEMPORARY);
	finish(&world);
	return outcome;
}

static bool
log_has(const char *words)
{
	struct str log = test_read(test_path("log"));

	return str_find(log, str_from(words)) < log.len;
}

#define LIST "tag:example.org,2026:friends"
#define DISCARDS(test) "require [\"extlists\"];\nif " test " { discard; }\n"
#define ADDRESS DISCARDS("address :list \"from\" \"" LIST "\"")
#define OCTETS                                                                 \
	DISCARDS("address :comparator \"i;octet\" :list \"from\" \"" LIST "\"")
#define LISTS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(a_file_of_lines_below_the_home_is_a_list)
{
	test_file("amy/friends", "bob@example.org\nada@example.org\n");
	CHECK_INT(deliver(LISTS(LIST " lines:~/friends"), ADDRESS),
		DELIVER_DISCARDED);
	test_file("amy/friends", "bob@example.org\n");
	CHECK_INT(deliver(LISTS(LIST " lines:~/friends"), ADDRESS),
		DELIVER_SAVED);
}

TEST(a_file_of_dovecots_dict_is_a_list)
{
	test_file("amy/friends", "priv/sieve/extlists/bob@example.org\n1\n"
				 "priv/other\nada@example.org\n");
	CHECK_INT(deliver(LISTS(LIST " file:%h/friends"), ADDRESS),
		DELIVER_SAVED);
	test_file("amy/friends", "priv/sieve/extlists/bob@example.org\n1\n"
				 "shared/sieve/extlists/ada@example.org\n1\n");
	CHECK_INT(deliver(LISTS(LIST " file:%h/friends"), ADDRESS),
		DELIVER_DISCARDED);
}

TEST(tables_of_postfix_are_lists)
{
	static const char script[] = "require [\"extlists\",\"variables\"];\n"
				     "if string :list \"User7@Example.org\" "
				     "\"" LIST "\" { discard; }\n";
	static const char *const names[] = {"hash", "btree", "cdb"};
	struct arena *arena = arena_open();
	const char *folder = test_source("tests/unit/dict/maps");
	size_t i;

	test_file("amy/friends", "ada@example.org OK\n");
	CHECK_INT(deliver(LISTS(LIST " texthash:~/friends"), ADDRESS),
		DELIVER_DISCARDED);
	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		const char *list = arena_format(
			arena, LIST " %s:%s/%s", names[i], folder, names[i]);

		CHECK_INT(deliver(LISTS(list), script), DELIVER_DISCARDED);
		CHECK_INT(deliver(LISTS(list), ADDRESS), DELIVER_SAVED);
	}
	arena_close(&arena);
	test_file("amy/friends.db", "ada@example.org\n");
	CHECK_INT(deliver(LISTS(LIST " hash:~/friends"), ADDRESS),
		DELIVER_FAILED);
}

TEST(slashes_and_backslashes_are_escaped_in_dovecots_keys)
{
	test_file("amy/x", "priv/sieve/extlists/a\\|b\\\\c\n1\n");
	CHECK_INT(deliver(LISTS(LIST " file:~/x"),
			  "require [\"extlists\",\"variables\"];\n"
			  "if string :list \"a/b\\\\c\" \"" LIST
			  "\" { discard; }\n"),
		DELIVER_DISCARDED);
}

TEST(the_comparator_says_what_is_the_same)
{
	test_file("amy/friends", "ada@example.org\n");
	CHECK_INT(
		deliver(LISTS(LIST " lines:~/friends"), OCTETS), DELIVER_SAVED);
	test_file("amy/friends", "ada@example.org\nAda@Example.org\n");
	CHECK_INT(deliver(LISTS(LIST " lines:~/friends"), OCTETS),
		DELIVER_DISCARDED);
}

TEST(comparators_of_one_script_do_not_mix)
{
	test_file("amy/friends", "zoe@example.org\nAda@Example.org\n");
	CHECK_INT(
		deliver(LISTS(LIST " lines:~/friends"),
			"require [\"extlists\"];\n"
			"if allof(address :list \"from\" \"" LIST "\",\n"
			"address :comparator \"i;octet\" :list \"from\" "
			"\"" LIST "\",\n"
			"address :list \"from\" \"" LIST "\") { discard; }\n"),
		DELIVER_DISCARDED);
}

TEST(a_list_without_a_file_is_empty_and_valid)
{
	CHECK_INT(deliver(LISTS(LIST), ADDRESS), DELIVER_SAVED);
	CHECK_INT(deliver(LISTS(LIST), DISCARDS("valid_ext_list \"" LIST "\"")),
		DELIVER_DISCARDED);
}

TEST(a_list_that_no_setting_names_is_not_valid)
{
	CHECK_INT(deliver(LISTS("tag:example.org,2026:others"),
			  DISCARDS("valid_ext_list \"" LIST "\"")),
		DELIVER_SAVED);
	CHECK_INT(deliver(LISTS("tag:example.org,2026:others"), ADDRESS),
		DELIVER_SAVED);
	CHECK(log_has("which sieve_extlists_list does not name"));
}

TEST(a_name_may_be_abbreviated_on_both_sides)
{
	test_file("amy/book", "ada@example.org\n");
	CHECK_INT(deliver(LISTS("urn:ietf:params:sieve:addrbook:default "
				"lines:~/book"),
			  DISCARDS("address :list \"from\" "
				   "\":addrbook:default\"")),
		DELIVER_DISCARDED);
	CHECK_INT(deliver(LISTS(":addrbook:default lines:~/book"),
			  DISCARDS("address :list \"from\" "
				   "\"urn:ietf:params:sieve:addrbook:"
				   "default\"")),
		DELIVER_DISCARDED);
}

TEST(one_of_several_lists_is_enough)
{
	test_file("amy/a", "bob@example.org\n");
	test_file("amy/b", "ada@example.org\n");
	CHECK_INT(deliver(LISTS("tag:x,2026:a lines:~/a",
				  "tag:x,2026:b lines:~/b"),
			  DISCARDS("address :list \"from\" [\"tag:x,2026:a\", "
				   "\"tag:x,2026:b\"]")),
		DELIVER_DISCARDED);
}

TEST(a_file_that_is_not_there_is_an_empty_list)
{
	CHECK_INT(deliver(LISTS(LIST " lines:~/friends"), ADDRESS),
		DELIVER_SAVED);
	CHECK(!log_has("is not there"));
}

TEST(of_a_shared_file_that_is_not_there_the_log_tells)
{
	CHECK_INT(deliver(LISTS(LIST " lines:/no/such/file"), ADDRESS),
		DELIVER_SAVED);
	CHECK(log_has("/no/such/file of the list " LIST " is not there"));
}

TEST(a_file_that_cannot_be_read_is_temporary_trouble)
{
	REQUIRE(mkdir(test_path("amy"), 0700) == 0 &&
		mkdir(test_path("amy/friends"), 0700) == 0);
	CHECK_INT(deliver(LISTS(LIST " lines:~/friends"), ADDRESS),
		DELIVER_FAILED);
}

TEST(a_value_that_is_too_long_is_not_looked_for)
{
	test_file("amy/friends", "ada@example.org\n");
	CHECK_INT(deliver(LISTS(LIST " max_lookup_size=15 lines:~/friends"),
			  ADDRESS),
		DELIVER_DISCARDED);
	CHECK_INT(deliver(LISTS(LIST " max_lookup_size=14 lines:~/friends"),
			  ADDRESS),
		DELIVER_SAVED);
}

TEST(many_values_are_all_found)
{
	static char text[64 * 3000];
	size_t len = 0;
	int i;

	for (i = 0; i < 2999; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "user%d@x\n", i);
	snprintf(text + len, sizeof(text) - len, "ada@example.org\n");
	test_file("amy/friends", text);
	CHECK_INT(deliver(LISTS(LIST " lines:~/friends"), ADDRESS),
		DELIVER_DISCARDED);
}
