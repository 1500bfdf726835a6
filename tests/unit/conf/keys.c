/* SPDX-License-Identifier: MIT */
#include "conf/keys.h"

#include <stdio.h>

#include "base/arena.h"
#include "conf/conf.h"
#include "conf/names.h"
#include "conf/value.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct conf_keys *const tables[] = {&conf_top_keys,
	&conf_userdb_keys, &conf_namespace_keys, &conf_mailbox_keys,
	&conf_service_keys, &conf_listener_keys, &conf_local_name_keys};

TEST(every_default_is_a_good_value)
{
	struct arena *arena = arena_open();
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(tables); i++)
		for (j = 0; j < tables[i]->count; j++) {
			const struct conf_key *key = &tables[i]->items[j];
			struct settings object = {0};
			const char *expected = "";

			if (key->type == CONF_TYPE_FAMILY)
				continue;
			if (!CHECK(conf_value_parse(arena, key,
					   str_from(key->fallback), &object,
					   &expected) == 0))
				printf("# %s: %s\n", key->name, expected);
		}
	arena_close(&arena);
}

TEST(every_key_has_a_help_sentence_and_a_kind_of_process)
{
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(tables); i++)
		for (j = 0; j < tables[i]->count; j++) {
			const struct conf_key *key = &tables[i]->items[j];
			size_t len = strlen(key->help);

			CHECK(len > 10 && key->help[len - 1] == '.');
			CHECK(key->kinds != 0);
		}
}

TEST(every_enum_key_has_words_and_every_template_its_variables)
{
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(tables); i++)
		for (j = 0; j < tables[i]->count; j++) {
			const struct conf_key *key = &tables[i]->items[j];

			if (key->type == CONF_TYPE_ENUM ||
				key->type == CONF_TYPE_CHOICE)
				CHECK(key->bounds.words != NULL);
			if (key->type == CONF_TYPE_TEMPLATE ||
				key->type == CONF_TYPE_FAMILY)
				CHECK(key->bounds.vars != CONF_VARS_NONE);
			if (key->type == CONF_TYPE_NUMBER ||
				key->type == CONF_TYPE_OCTAL)
				CHECK(key->bounds.most > 0);
		}
}

TEST(no_key_stands_twice)
{
	size_t i, j, k;

	for (i = 0; i < ARRAY_LENGTH(tables); i++)
		for (j = 0; j < tables[i]->count; j++)
			for (k = 0; k < j; k++)
				CHECK(!str_is(
					str_from(tables[i]->items[j].name),
					tables[i]->items[k].name));
}

TEST(no_key_of_ours_is_called_foreign)
{
	size_t i, j;

	/* A name that is exactly foreign would be a key with two meanings. */
	for (i = 0; i < ARRAY_LENGTH(tables); i++)
		for (j = 0; j < tables[i]->count; j++)
			CHECK(conf_alias_find(str_from(
				      tables[i]->items[j].name)) == NULL);
}

TEST(secrets_go_to_no_process_that_does_not_need_them)
{
	const struct conf_key *key =
		conf_key_find(&conf_top_keys, STR("ssl_key"));

	REQUIRE(key != NULL);
	/* The front is given what the file holds. */
	CHECK_UINT(key->kinds, CONF_KIND_MASTER);
}

static const char *
family(const char *name)
{
	static char text[64];
	unsigned root = 0, number = 0;
	const struct conf_key *key =
		conf_key_find_family(str_from(name), &root, &number);

	if (key == NULL)
		return "none";
	(void)snprintf(text, sizeof(text), "%s %u %u", key->name, root, number);
	return text;
}

TEST(a_number_may_follow_the_name_of_a_family)
{
	CHECK_STR(family("sieve_before"), "sieve_before 1 1");
	CHECK_STR(family("sieve_before1"), "sieve_before 1 1");
	CHECK_STR(family("sieve_before12"), "sieve_before 1 12");
	CHECK_STR(family("quota3"), "quota 1 3");
}

TEST(a_root_may_stand_in_the_names_of_quota)
{
	CHECK_STR(family("quota_rule"), "quota_rule 1 1");
	CHECK_STR(family("quota2_rule3"), "quota_rule 2 3");
	CHECK_STR(family("quota2_grace"), "quota_grace 2 1");
}

TEST(other_names_are_no_family)
{
	CHECK_STR(family("sieve_before0"), "none");
	CHECK_STR(family("sieve_before02"), "none");
	CHECK_STR(family("sieve_before1001"), "none");
	CHECK_STR(family("sieve_before99999999999999999999"), "none");
	CHECK_STR(family("sieve_beforex"), "none");
	CHECK_STR(family("hostname2"), "none");
	CHECK_STR(family("quota0_rule"), "none");
	CHECK_STR(family("2"), "none");
	CHECK_STR(family(""), "none");
}

TEST(the_name_of_a_family_is_written_as_it_is_read)
{
	static const char *const names[] = {"quota", "quota2", "quota_rule",
		"quota_rule2", "quota2_rule", "quota3_rule4", "sieve_after",
		"sieve_after5"};
	struct arena *arena = arena_open();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		unsigned root, number;
		const struct conf_key *key = conf_key_find_family(
			str_from(names[i]), &root, &number);

		REQUIRE(key != NULL);
		CHECK_STR(conf_family_name(arena, key, root, number), names[i]);
	}
	arena_close(&arena);
}

TEST(a_name_that_is_nearly_right_is_suggested)
{
	CHECK_STR(conf_key_suggest(&conf_top_keys, STR("mail_locatoin")),
		"mail_location");
	CHECK_STR(
		conf_key_suggest(&conf_top_keys, STR("Hostname")), "hostname");
	CHECK_STR(conf_key_suggest(&conf_top_keys, STR("seive_before")),
		"sieve_before");
	CHECK(conf_key_suggest(&conf_top_keys, STR("colour_of_the_sky")) ==
		NULL);
	CHECK(conf_key_suggest(&conf_top_keys, STR("")) == NULL);
	CHECK(conf_key_suggest(&conf_top_keys,
		      STR("a_very_long_name_that_goes_on_and_on_and_on_until_"
			  "nobody_can_have_meant_any_key_of_ours_by_it")) ==
		NULL);
}
