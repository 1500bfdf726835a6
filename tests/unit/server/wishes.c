/* SPDX-License-Identifier: MIT */
#include "server/wishes.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct wishes wishes;
static struct err err;
static char seen[4096];

static void
add_seen(void *context, struct wire_proxy_wish *wish)
{
	size_t len = strlen(seen);

	(void)context;
	snprintf(seen + len, sizeof(seen) - len, "%d %s %s\n", (int)wish->kind,
		wish->name, wish->value);
}

static void
set(enum wire_wish_kind kind, const char *name, const char *value)
{
	const struct wire_proxy_wish wish = {kind, name, value};

	REQUIRE(wishes_set(&wishes, &wish, &err) == 0);
}

static const char *
all(void)
{
	seen[0] = '\0';
	wishes_each(&wishes, add_seen, NULL);
	return seen;
}

TEST(the_last_wish_about_a_name_counts)
{
	set(WIRE_WISH_MOVE, "amy", "a:24");
	set(WIRE_WISH_MOVE, "amy", "b:24");
	CHECK_STR(all(), "0 amy b:24\n");
	set(WIRE_WISH_MOVE, "amy", "");
	CHECK_STR(all(), "");
	set(WIRE_WISH_MOVE, "nobody", "");
	CHECK_UINT(wishes.count, 0);
}

/* A user may have the name of a backend. */
TEST(a_user_is_no_backend)
{
	set(WIRE_WISH_MOVE, "a:24", "b:24");
	set(WIRE_WISH_DRAIN, "a:24", "yes");
	CHECK_UINT(wishes.count, 2);
	set(WIRE_WISH_DRAIN, "a:24", "");
	CHECK_STR(all(), "0 a:24 b:24\n");
	wishes_clear(&wishes);
	CHECK_UINT(wishes.count, 0);
}

static const char *
problem_of(const char *more, enum wire_wish_kind kind, const char *name,
	const char *value)
{
	const struct wire_proxy_wish wish = {kind, name, value};
	struct arena *arena = arena_open();
	struct conf_report report = {0};
	const struct settings *settings;
	char text[256];

	snprintf(text, sizeof(text),
		"%s\nproxy_group g {\n backend a:24 {\n }\n}\n", more);
	REQUIRE(conf_load(arena,
			&(struct conf_source){
				.file = test_file("doorstep.conf", text)},
			&settings, &report) == 0);
	err_clear(&err);
	(void)!wishes_check(settings, &wish, &err);
	arena_close(&arena);
	return err.text;
}

TEST(only_what_a_group_knows_can_be_wished_for)
{
	static const char yes[] = "lmtp_proxy = yes";

	CHECK_STR(problem_of(yes, WIRE_WISH_MOVE, "amy", "A:24"), "");
	CHECK_STR(problem_of(yes, WIRE_WISH_MOVE, "amy", "a"),
		"no proxy_group has a backend a");
	CHECK_STR(problem_of(yes, WIRE_WISH_DRAIN, "a:24", "yes"), "");
	CHECK_STR(problem_of(yes, WIRE_WISH_DRAIN, "b:24", "yes"),
		"no proxy_group has a backend b:24");
	/* It may have been taken out of the group meanwhile. */
	CHECK_STR(problem_of(yes, WIRE_WISH_DRAIN, "b:24", ""), "");
	CHECK_STR(problem_of("", WIRE_WISH_DRAIN, "a:24", "yes"),
		"this server passes no mail on: lmtp_proxy = no");
}

static void
count_one(void *context, struct wire_proxy_wish *wish)
{
	(void)wish;
	++*(unsigned *)context;
}

static void
put(struct dict *dict, enum wire_wish_kind kind, const char *name,
	const char *value)
{
	const struct wire_proxy_wish wish = {kind, name, value};

	REQUIRE(wishes_put(dict, &wish, &err) == 0);
}

TEST(the_data_base_gives_back_what_it_has)
{
	struct arena *arena = arena_open();
	struct dict *dict = dict_open_memory();
	/* Somebody else's, before and behind ours. */
	const struct dict_entry others[] = {
		{STR("s"), STR("x"), 1}, {STR("x"), STR("x"), 1}};
	char name[32];
	unsigned i;

	for (i = 0; i < 2; i++)
		REQUIRE(dict_put(dict, &others[i], &err) == 0);
	put(dict, WIRE_WISH_DRAIN, "a:24", "yes");
	put(dict, WIRE_WISH_MOVE, "amy", "a:24");
	put(dict, WIRE_WISH_MOVE, "amy", "b:24");
	put(dict, WIRE_WISH_MOVE, "bob", "b:24");
	put(dict, WIRE_WISH_MOVE, "bob", "");
	seen[0] = '\0';
	REQUIRE(wishes_load(dict, arena, add_seen, NULL, &err) == 0);
	CHECK_UINT(strlen(seen), strlen("0 amy b:24\n1 a:24 yes\n"));
	CHECK(strstr(seen, "0 amy b:24\n") != NULL);
	CHECK(strstr(seen, "1 a:24 yes\n") != NULL);

	/* More than are read at a time. */
	for (i = 0; i < 2500; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		put(dict, WIRE_WISH_MOVE, name, "a:24");
	}
	i = 0;
	REQUIRE(wishes_load(dict, arena, count_one, &i, &err) == 0);
	CHECK_UINT(i, 2502);
	dict_close(&dict);
	arena_close(&arena);
}
