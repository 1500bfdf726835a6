/* SPDX-License-Identifier: MIT */
#include "userdb/userdb.h"

#include <stdio.h>
#include <string.h>

#include "base/user.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;
static const struct user *user;

/* One lookup in `count` databases; the arena lives as long as the test. */
static enum lookup
find(const struct userdb_settings *settings, size_t count, const char *name)
{
	static struct arena *arena;
	struct userdb *db = NULL;
	enum lookup found;

	if (arena == NULL)
		arena = arena_open();
	user = NULL;
	err_clear(&err);
	REQUIRE(userdb_open(settings, count, &db, &err) == 0);
	found = userdb_find(db, arena, str_from(name), "lda", &user, &err);
	userdb_close(&db);
	CHECK(db == NULL);
	return found;
}

static enum lookup
find_one(const char *driver, const char *args, const char *name)
{
	const struct userdb_settings settings = {
		.driver = driver, .args = args, .file = "d.conf", .line = 7};

	return find(&settings, 1, name);
}

static int
open_one(const char *driver, const char *args)
{
	const struct userdb_settings settings = {
		.driver = driver, .args = args, .file = "d.conf", .line = 7};
	struct userdb *db = NULL;
	int result = userdb_open(&settings, 1, &db, &err);

	userdb_close(&db);
	return result;
}

static const char *
field(const char *name)
{
	const struct str *value = user_field(user, name);

	return value != NULL ? value->data : NULL;
}

/* ---- the list ---- */

TEST(an_unknown_driver_is_refused_with_file_and_line)
{
	CHECK_INT(open_one("sql", ""), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.5");
	CHECK_STR(err.detail, "d.conf:7: userdb: driver 'sql' is not one of "
			      "passwd, passwd-file, static");
	CHECK_INT(open_one(NULL, NULL), -1);
}

TEST(without_a_database_nobody_is_unknown)
{
	CHECK_INT(find(NULL, 0, "amy"), LOOKUP_ERROR);
	CHECK_STR(err.status, "4.3.5");
}

TEST(the_first_database_that_knows_the_name_answers)
{
	const char *first = test_file("first", "amy::1001:1001::/first/amy\n");
	const char *second =
		test_file("second", "amy::1002:1002::/second/amy\n"
				    "bob::1003:1003::/second/bob\n");
	const struct userdb_settings settings[] = {
		{.driver = "passwd-file", .args = first},
		{.driver = "passwd-file", .args = second}};

	CHECK_INT(find(settings, 2, "amy"), LOOKUP_FOUND);
	CHECK_STR(user->home, "/first/amy");
	CHECK_INT(find(settings, 2, "bob"), LOOKUP_FOUND);
	CHECK_STR(user->home, "/second/bob");
	CHECK_INT(find(settings, 2, "eve"), LOOKUP_NONE);
	CHECK_INT(err.kind, ERR_NONE);
}

TEST(trouble_in_one_is_not_healed_by_unknown_from_another)
{
	const char *good = test_file("good", "amy::1001:1001::/amy\n");
	const struct userdb_settings settings[] = {
		{.driver = "passwd-file", .args = test_path("missing")},
		{.driver = "passwd-file", .args = good}};

	CHECK_INT(find(settings, 2, "eve"), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	/* Even a record behind it might be the wrong one. */
	CHECK_INT(find(settings, 2, "amy"), LOOKUP_ERROR);
}

TEST(trouble_behind_an_answer_does_not_matter)
{
	const char *good = test_file("good", "amy::1001:1001::/amy\n");
	const struct userdb_settings settings[] = {
		{.driver = "passwd-file", .args = good},
		{.driver = "passwd-file", .args = test_path("missing")}};

	CHECK_INT(find(settings, 2, "amy"), LOOKUP_FOUND);
	CHECK_INT(find(settings, 2, "eve"), LOOKUP_ERROR);
}

TEST(a_harmful_name_is_nobodys)
{
	static const char *const names[] = {"", "a/b", "../x", "/", ".", "..",
		"amy@..", "..@example.org", ".@example.org", "a@b@..",
		"tab\there", "line\nbreak", "del\177", "\xff\xfe", "a\xc0\x80"};
	const char *all = "allow_all_users=yes uid=1 gid=1 home=/srv/%d/%n";
	char long_name[USERDB_NAME_MAX + 2];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		CHECK_INT(find_one("static", all, names[i]), LOOKUP_NONE);
	CHECK(userdb_name_is_harmful(str_of("a\0b", 3)));
	memset(long_name, 'a', sizeof(long_name));
	long_name[USERDB_NAME_MAX] = '\0';
	CHECK_INT(find_one("static", all, long_name), LOOKUP_FOUND);
	long_name[USERDB_NAME_MAX] = 'a';
	long_name[USERDB_NAME_MAX + 1] = '\0';
	CHECK_INT(find_one("static", all, long_name), LOOKUP_NONE);
	CHECK_INT(find_one("static", all, "a..b@x..y"), LOOKUP_FOUND);
	CHECK_INT(find_one("static", all, "jörg@bücher.example"), LOOKUP_FOUND);
	CHECK_STR(user->home, "/srv/bücher.example/jörg");
}

/* ---- default_fields, override_fields ---- */

TEST(default_fields_fill_and_override_fields_win)
{
	const char *file =
		test_file("users", "amy::1001::::: mail=maildir:~/M\n"
				   "bob::1002:1002::/home/bob\n");
	const struct userdb_settings settings = {.driver = "passwd-file",
		.args = file,
		.default_fields = "gid=1000 home=/srv/%u mail=mbox:~/m",
		.override_fields = "uid=1009 quota_rule=*:storage=1G"};

	CHECK_INT(find(&settings, 1, "amy"), LOOKUP_FOUND);
	CHECK_UINT(user->uid, 1009);
	CHECK_UINT(user->gid, 1000);
	CHECK_STR(user->home, "/srv/amy");
	CHECK_STR(field("mail"), "maildir:~/M");
	CHECK_STR(field("quota_rule"), "*:storage=1G");
	CHECK_INT(find(&settings, 1, "bob"), LOOKUP_FOUND);
	CHECK_UINT(user->gid, 1002);
	CHECK_STR(user->home, "/home/bob");
	CHECK_STR(field("mail"), "mbox:~/m");
}

TEST(two_addresses_of_one_user_share_the_home_of_default_fields)
{
	const char *file = test_file("users", "amy@x.example:::::::user=amy\n"
					      "a@x.example:::::::user=amy\n");
	const struct userdb_settings settings = {.driver = "passwd-file",
		.args = file,
		.default_fields = "home=/srv/%u"};

	CHECK_INT(find(&settings, 1, "a@x.example"), LOOKUP_FOUND);
	CHECK_STR(user->name, "amy");
	CHECK_STR(user->home, "/srv/amy");
}

TEST(wrong_fields_are_refused_when_the_databases_are_opened)
{
	const struct userdb_settings settings = {.driver = "passwd",
		.override_fields = "home=/srv/%y",
		.file = "d.conf",
		.line = 9};
	struct userdb *db = NULL;

	CHECK_INT(userdb_open(&settings, 1, &db, &err), -1);
	CHECK_STR(err.detail, "d.conf:9: userdb: unknown variable %y at "
			      "position 6 of \"/srv/%y\"");
}

TEST(suffixes_of_fields_are_obeyed)
{
	const char *file = test_file("users",
		"amy:::::::a=1 b=2 b:remove a:default=9 c:default=3 "
		"d:protected=4\n");
	const struct userdb_settings settings = {.driver = "passwd-file",
		.args = file,
		.default_fields = "home=/srv/amy",
		.override_fields = "home:remove user:remove d=5"};

	CHECK_INT(find(&settings, 1, "amy"), LOOKUP_FOUND);
	CHECK_STR(field("a"), "1");
	CHECK_STR(field("b"), NULL);
	CHECK_STR(field("c"), "3");
	CHECK_STR(field("d"), "5");
	CHECK_STR(user->home, NULL);
	CHECK_STR(user->name, "amy");
}

/* ---- static ---- */

TEST(static_refuses_to_invent_users_unless_told_to)
{
	CHECK_INT(open_one("static", "uid=5000 gid=5000 home=/srv/%u"), -1);
	CHECK_STR(err.status, "4.3.5");
	CHECK(strstr(err.detail, "d.conf:7: userdb: driver static") != NULL);
	CHECK(strstr(err.detail, "add allow_all_users=yes") != NULL);
	CHECK_INT(open_one("static", NULL), -1);
	CHECK_INT(open_one("static", "allow_all_users=no uid=1"), -1);
	CHECK_INT(open_one("static", "allow_all_users uid=1"), -1);
	CHECK_INT(open_one("static", "allow_all_users=yes uid=1"), 0);
	/* The last one counts, as with every key. */
	CHECK_INT(open_one("static", "allow_all_users=yes allow_all_users=no"),
		-1);
}

TEST(static_gives_its_fields_to_everybody)
{
	CHECK_INT(find_one("static",
			  "uid=5000 allow_all_users=yes gid=5001 "
			  "home=/srv/%d/%n mail=maildir:%h/Maildir a\\ b=c\\ d",
			  "amy@example.org"),
		LOOKUP_FOUND);
	CHECK_STR(user->name, "amy@example.org");
	CHECK(user->has_uid && user->has_gid);
	CHECK_UINT(user->uid, 5000);
	CHECK_UINT(user->gid, 5001);
	CHECK_STR(user->home, "/srv/example.org/amy");
	CHECK_STR(field("mail"), "maildir:/srv/example.org/amy/Maildir");
	CHECK_STR(field("a b"), "c d");
	CHECK_STR(field("allow_all_users"), NULL);
	CHECK_STR(user->system_groups_user, NULL);
	CHECK_STR(user->source, "static");
}

TEST(a_static_field_that_would_lead_out_of_its_folder_is_trouble)
{
	CHECK_INT(find_one("static", "allow_all_users=yes home=/srv/%2n/x",
			  "..x"),
		LOOKUP_ERROR);
	CHECK_INT(find_one("static", "allow_all_users=yes mail=maildir:%2n/x",
			  "..x"),
		LOOKUP_ERROR);
	CHECK_INT(find_one("static", "allow_all_users=yes home=/srv/%3n/x",
			  "..x"),
		LOOKUP_FOUND);
}

TEST(the_home_is_unknown_before_it_is_set)
{
	CHECK_INT(find_one("static",
			  "allow_all_users=yes mail=%h/M home=/srv/x", "amy"),
		LOOKUP_ERROR);
	CHECK_STR(err.detail, "d.conf:7: userdb: unknown variable %h at "
			      "position 1 of \"%h/M\"");
}

/* ---- passwd ---- */

TEST(passwd_gives_the_account_and_its_groups)
{
	CHECK_INT(find_one("passwd", "blocking=no", "root"), LOOKUP_FOUND);
	CHECK_STR(user->name, "root");
	CHECK(user->has_uid && user->has_gid);
	CHECK_UINT(user->uid, 0);
	CHECK_STR(user->home, "/root");
	CHECK_STR(user->system_groups_user, "root");
	CHECK_STR(user->source, "passwd");
}

TEST(passwd_takes_fields_that_win)
{
	CHECK_INT(find_one("passwd", "home=/srv/mail/%u mail=maildir:~/M",
			  "root"),
		LOOKUP_FOUND);
	CHECK_STR(user->home, "/srv/mail/root");
	CHECK_STR(field("mail"), "maildir:~/M");
}

TEST(passwd_says_unknown_for_an_unknown_name)
{
	CHECK_INT(find_one("passwd", "", "no-such-user-here"), LOOKUP_NONE);
	CHECK_INT(find_one("passwd", "", "root@example.org"), LOOKUP_NONE);
}
