/* SPDX-License-Identifier: MIT */
#include "proxy/groups.h"

#include <stdio.h>

#include "base/arena.h"
#include "conf/conf.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct arena *arena;
static struct groups groups;
static struct group *group;
static struct group_backend *backend;
static struct err err;

static void
open_groups(const char *more)
{
	struct conf_report report = {0};
	const struct settings *settings;
	char text[1024];

	if (arena == NULL)
		arena = arena_open();
	else
		groups_close(&groups);
	snprintf(text, sizeof(text),
		"proxy_group farm {\n%s\n backend a:24 {\n }\n"
		" backend b:24 {\n }\n backend c:24 {\n }\n}\n"
		"proxy_group other {\n backend d {\n }\n}\n",
		more);
	REQUIRE(conf_load(arena,
			&(struct conf_source){
				.file = test_file("doorstep.conf", text)},
			&settings, &report) == 0);
	groups_open(&groups, settings, 0);
	group = groups_find(&groups, "farm");
	REQUIRE(group != NULL);
}

static int
choose(const char *user)
{
	err_clear(&err);
	return group_choose(&groups, group, user, &backend, &err);
}

static const char *
home_of(const char *user)
{
	REQUIRE(choose(user) == 0);
	return backend->name;
}

static void
bring_down(struct group_backend *which)
{
	unsigned i;

	for (i = 0; i < group->health.falls; i++)
		(void)health_failure(&which->health, &group->health, 0);
	REQUIRE(!health_is_usable(&which->health));
}

TEST(a_group_is_found_by_its_name)
{
	open_groups("");
	CHECK_STR(group->name, "farm");
	CHECK_UINT(group->count, 3);
	CHECK(!group->is_shared);
	CHECK(groups_find(&groups, "FARM") == group);
	CHECK(groups_find(&groups, "far") == NULL);
	CHECK(groups_find(&groups, "a") == NULL);
	REQUIRE(groups_find_backend(&groups, STR("A:24")) != NULL);
	CHECK_STR(groups_find_backend(&groups, STR("a:24"))->host, "a");
	CHECK_UINT(groups_find_backend(&groups, STR("d"))->port, 0);
	CHECK(groups_find_backend(&groups, STR("a")) == NULL);
}

TEST(a_host_of_a_record_is_a_backend_of_a_group)
{
	open_groups("");
	CHECK(groups_find_host(&groups, "a", 24) == &group->backends[0]);
	CHECK(groups_find_host(&groups, "B", 0) == &group->backends[1]);
	CHECK(groups_find_host(&groups, "a", 25) == NULL);
	/* It has no port of its own. */
	CHECK(groups_find_host(&groups, "d", 25) != NULL);
	CHECK(groups_find_host(&groups, "e", 0) == NULL);
	CHECK_INT(group_backend_check(&group->backends[0], &err), 0);
	bring_down(&group->backends[0]);
	CHECK_INT(group_backend_check(&group->backends[0], &err), -1);
}

TEST(a_user_has_one_home)
{
	const char *home;

	open_groups("");
	home = home_of("amy@example.org");
	CHECK_STR(home_of("amy@example.org"), home);
	open_groups("shared_storage = yes");
	CHECK_STR(home_of("amy@example.org"), home);
}

TEST(without_shared_storage_a_dead_backend_refuses_its_users_and_no_others)
{
	struct group_backend *dead;
	char user[16];
	unsigned i, refused = 0;

	open_groups("");
	home_of("amy");
	dead = backend;
	bring_down(dead);
	CHECK_INT(choose("amy"), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.4.0");
	CHECK_STR(err.text, "Proxy failed (backend is down)");
	for (i = 0; i < 100; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		if (choose(user) < 0)
			refused++;
		else
			CHECK(backend != dead);
	}
	CHECK(refused > 10 && refused < 60);
}

TEST(with_shared_storage_users_of_a_dead_backend_go_elsewhere_and_come_back)
{
	const char *home;
	struct group_backend *dead;

	open_groups("shared_storage = yes");
	home = home_of("amy");
	dead = backend;
	bring_down(dead);
	CHECK_INT(choose("amy"), 0);
	CHECK(backend != dead);
	health_init(&dead->health, 0);
	CHECK_STR(home_of("amy"), home);
}

TEST(when_all_are_dead_users_are_refused)
{
	size_t i;

	open_groups("shared_storage = yes");
	for (i = 0; i < group->count; i++)
		bring_down(&group->backends[i]);
	CHECK_INT(choose("amy"), -1);
	CHECK_STR(err.status, "4.4.0");
}

TEST(a_drained_backend_gets_nothing_new)
{
	struct group_backend *drained;

	open_groups("shared_storage = yes");
	home_of("amy");
	drained = backend;
	drained->is_drained = true;
	CHECK_INT(choose("amy"), 0);
	CHECK(backend != drained);

	open_groups("");
	home_of("amy");
	backend->is_drained = true;
	CHECK_INT(choose("amy"), -1);
	CHECK_STR(err.status, "4.3.2");
}

TEST(a_moved_user_goes_where_the_admin_says)
{
	struct str there;

	open_groups("");
	home_of("amy");
	there = str_from(backend == &group->backends[0] ? "b:24" : "a:24");
	REQUIRE(groups_move(&groups, STR("amy"), there, &err) == 0);
	CHECK_STR_EQUAL(str_from(home_of("amy")), there);
	CHECK_STR_EQUAL(str_from(groups_moved_to(&groups, STR("amy"))), there);
	CHECK(groups_moved_to(&groups, STR("bob")) == NULL);
	/* Once more, and back. */
	REQUIRE(groups_move(&groups, STR("amy"), STR("c:24"), &err) == 0);
	CHECK_STR(home_of("amy"), "c:24");
	CHECK_UINT(groups.move_count, 1);
	REQUIRE(groups_move(&groups, STR("amy"), STR_EMPTY, &err) == 0);
	CHECK(groups_moved_to(&groups, STR("amy")) == NULL);
	CHECK_UINT(groups.move_count, 0);
}

TEST(a_move_to_a_backend_that_is_gone_does_not_count)
{
	const char *home;

	open_groups("");
	home = home_of("amy");
	REQUIRE(groups_move(&groups, STR("amy"), STR("old:24"), &err) == 0);
	CHECK_STR(home_of("amy"), home);
}

TEST(a_moved_user_is_refused_or_goes_on_like_others)
{
	open_groups("");
	REQUIRE(groups_move(&groups, STR("amy"), STR("b:24"), &err) == 0);
	bring_down(&group->backends[1]);
	CHECK_INT(choose("amy"), -1);
	open_groups("shared_storage = yes");
	REQUIRE(groups_move(&groups, STR("amy"), STR("b:24"), &err) == 0);
	bring_down(&group->backends[1]);
	CHECK_INT(choose("amy"), 0);
}
