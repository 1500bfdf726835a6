/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "userdb/userdb.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;
static const struct user *user;

/* The same by an index: so late that no file of the test is in doubt. */
static void
check_index(const struct userdb_settings *settings, const char *name,
	enum lookup found)
{
	struct arena *arena = arena_open();
	const struct user *other = NULL;
	struct userdb *db = NULL;
	struct err problem;
	size_t i;

	clock_fix(clock_now().tv_sec + 60, 0, "host", 1);
	err_clear(&problem);
	REQUIRE(userdb_open(settings, 1, &db, &problem) == 0);
	userdb_keep(db);
	CHECK_INT(
		userdb_find(db, arena, str_from(name), "lda", &other, &problem),
		found);
	CHECK_STR(problem.detail, err.detail);
	CHECK_STR(problem.status, err.status);
	if (found == LOOKUP_FOUND && other != NULL) {
		CHECK_STR(other->name, user->name);
		CHECK_STR(other->home, user->home);
		CHECK_STR(other->source, user->source);
		CHECK_INT(other->has_uid, user->has_uid);
		CHECK_INT(other->uid, user->uid);
		REQUIRE(other->field_count == user->field_count);
		for (i = 0; i < user->field_count; i++)
			CHECK_STR_EQUAL(
				other->fields[i].value, user->fields[i].value);
	}
	userdb_close(&db);
	arena_close(&arena);
}

static enum lookup
find(const char *args, const char *name)
{
	static struct arena *arena;
	const struct userdb_settings settings = {
		.driver = "passwd-file", .args = args};
	struct userdb *db = NULL;
	enum lookup found;

	if (arena == NULL)
		arena = arena_open();
	user = NULL;
	err_clear(&err);
	REQUIRE(userdb_open(&settings, 1, &db, &err) == 0);
	found = userdb_find(db, arena, str_from(name), "lda", &user, &err);
	userdb_close(&db);
	check_index(&settings, name, found);
	return found;
}

static enum lookup
find_in(const char *text, const char *name)
{
	return find(test_file("users", text), name);
}

static int
open_args(const char *args)
{
	const struct userdb_settings settings = {.driver = "passwd-file",
		.args = args,
		.file = "d.conf",
		.line = 3};
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

static const char *
format(const char *template, const char *word)
{
	static char text[4096];

	snprintf(text, sizeof(text), template, word);
	return text;
}

/* ---- trouble ---- */

TEST(a_missing_file_is_trouble_and_not_an_unknown_user)
{
	CHECK_INT(find(test_path("missing"), "amy"), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK(strstr(err.detail, "/missing: No such file or directory") !=
		NULL);
}

TEST(a_file_that_cannot_be_read_is_trouble)
{
	const char *file = test_file("users", "amy:x:1001:1001::/home/amy\n");

	REQUIRE(chmod(file, 0) == 0);
	/* Root reads every file. */
	if (geteuid() == 0)
		REQUIRE(seteuid(65534) == 0);
	CHECK_INT(find(file, "amy"), LOOKUP_ERROR);
	CHECK_INT(find(file, "eve"), LOOKUP_ERROR);
	CHECK(strstr(err.detail, ": Permission denied") != NULL);
	if (getuid() == 0)
		REQUIRE(seteuid(0) == 0);
}

TEST(a_folder_or_pipe_is_trouble_and_does_not_block)
{
	const char *pipe = test_path("pipe");

	CHECK_INT(find(test_folder(), "amy"), LOOKUP_ERROR);
	REQUIRE(mkfifo(pipe, 0600) == 0);
	CHECK_INT(find(pipe, "amy"), LOOKUP_ERROR);
	CHECK(strstr(err.detail, "not a regular file") != NULL);
}

/* Whoever rewrites the file in place truncates it first. */
TEST(an_empty_file_is_trouble)
{
	CHECK_INT(find_in("", "amy"), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK_STR(err.detail,
		format("userdb passwd-file %s: the file is empty; is it being "
		       "written?",
			test_path("users")));
	CHECK_INT(find_in("# nobody yet\n", "amy"), LOOKUP_NONE);
	CHECK_INT(find_in("\n", "amy"), LOOKUP_NONE);
}

TEST(a_file_cut_off_in_a_name_is_trouble_for_who_is_not_in_it)
{
	static const char text[] = "amy::1001:1001::/home/amy\nbo";

	CHECK_INT(find_in(text, "amy"), LOOKUP_FOUND);
	CHECK_INT(find_in(text, "bob"), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK_STR(err.detail,
		format("%s:2: the last line has neither a line end nor a "
		       "\":\"; is the file being written?",
			test_path("users")));
}

TEST(a_complete_last_line_needs_no_line_end)
{
	static const char text[] = "amy::1001\nbob::1002";

	CHECK_INT(find_in(text, "bob"), LOOKUP_FOUND);
	CHECK_INT(find_in(text, "eve"), LOOKUP_NONE);
	CHECK_INT(find_in("amy::1001\nbob\n", "eve"), LOOKUP_NONE);
}

TEST(a_malformed_line_is_trouble_for_its_user_only)
{
	static const char text[] = "amy:x:10x01:1001::/home/amy\n"
				   "bob:x:1002:1002::/home/bob\n"
				   "eve:x:99999999999:1002::/home/eve\n"
				   "rel:x:1003:1003::home/rel\n"
				   "var:x:1003:1003::/home/%y\n"
				   "ren:x:1003:1003:::: user=../x\n"
				   "nul:x:1003:1003:::: =x\n";

	CHECK_INT(find_in(text, "bob"), LOOKUP_FOUND);
	CHECK_INT(find_in(text, "amy"), LOOKUP_ERROR);
	CHECK_STR(err.status, "4.3.5");
	CHECK_STR(err.detail,
		format("%s:1: field uid: '10x01' is neither a number nor known "
		       "to the system",
			test_path("users")));
	CHECK_INT(find_in(text, "eve"), LOOKUP_ERROR);
	CHECK_INT(find_in(text, "rel"), LOOKUP_ERROR);
	CHECK_STR(err.detail,
		format("%s:4: field home: 'home/rel' is not an absolute path",
			test_path("users")));
	CHECK_INT(find_in(text, "var"), LOOKUP_ERROR);
	CHECK_STR(err.detail,
		format("%s:5: unknown variable %%y at position 7 of "
		       "\"/home/%%y\"",
			test_path("users")));
	CHECK_INT(find_in(text, "ren"), LOOKUP_ERROR);
	CHECK_INT(find_in(text, "nul"), LOOKUP_ERROR);
	CHECK_INT(find_in(text, "zoe"), LOOKUP_NONE);
}

TEST(a_line_that_is_too_long_is_trouble_for_its_user_only)
{
	struct buf text;
	const char *file;

	buf_init(&text, BUF_UNLIMITED);
	buf_add_text(&text, "first:x:1001:1001::/home/first\nlong:");
	while (text.len < 200 * 1000)
		buf_add_text(&text, "amy:x:1:1");
	buf_add_text(&text, "\nbob:x:1002:1002::/home/bob\nlast:");
	while (text.len < 400 * 1000)
		buf_add_text(&text, "x");
	file = test_file_bytes("users", buf_view(&text));
	buf_clear(&text);
	CHECK_INT(find(file, "first"), LOOKUP_FOUND);
	CHECK_INT(find(file, "long"), LOOKUP_ERROR);
	CHECK_STR(
		err.detail, format("%s:2: line longer than 65536 bytes", file));
	CHECK_INT(find(file, "bob"), LOOKUP_FOUND);
	CHECK_INT(find(file, "last"), LOOKUP_ERROR);
	CHECK_STR(
		err.detail, format("%s:4: line longer than 65536 bytes", file));
	CHECK_INT(find(file, "amy"), LOOKUP_NONE);
}

TEST(too_many_fields_are_trouble)
{
	struct buf text;
	int i;

	buf_init(&text, BUF_UNLIMITED);
	buf_add_text(&text, "amy:::::::");
	for (i = 0; i < USERDB_FIELDS_MAX; i++)
		buf_add_format(&text, "f%d=x ", i);
	CHECK_INT(find_in(buf_text(&text), "amy"), LOOKUP_FOUND);
	CHECK_UINT(user->field_count, USERDB_FIELDS_MAX);
	buf_add_text(&text, "more=x");
	CHECK_INT(find_in(buf_text(&text), "amy"), LOOKUP_ERROR);
	buf_clear(&text);
}

/* ---- the format ---- */

TEST(all_columns_are_read)
{
	CHECK_INT(find_in("amy:{PLAIN}x:1001:1002:Amy:/home/amy:/bin/sh:"
			  "quota_rule=*:storage=1G mail=maildir:~/M noquota\n",
			  "amy"),
		LOOKUP_FOUND);
	CHECK_STR(user->name, "amy");
	CHECK_UINT(user->uid, 1001);
	CHECK_UINT(user->gid, 1002);
	CHECK_STR(user->home, "/home/amy");
	CHECK_STR(field("quota_rule"), "*:storage=1G");
	CHECK_STR(field("mail"), "maildir:~/M");
	CHECK_STR(field("noquota"), "yes");
	CHECK_UINT(user->field_count, 3);
	CHECK_STR(user->source, format("passwd-file %s", test_path("users")));
}

TEST(columns_may_be_missing_or_empty)
{
	CHECK_INT(find_in("amy", "amy"), LOOKUP_FOUND);
	CHECK(!user->has_uid && !user->has_gid);
	CHECK_STR(user->home, NULL);
	CHECK_UINT(user->field_count, 0);
	CHECK_INT(find_in("amy:\n", "amy"), LOOKUP_FOUND);
	CHECK_INT(find_in("amy:::::\n", "amy"), LOOKUP_FOUND);
	CHECK_INT(find_in("amy::1001\n", "amy"), LOOKUP_FOUND);
	CHECK(user->has_uid && !user->has_gid);
	CHECK_INT(find_in("amy:::::::\n", "amy"), LOOKUP_FOUND);
}

TEST(comments_blank_lines_and_cr_are_passed_over)
{
	static const char text[] =
		"# amy:x:1:1\n\n#amy:x:1:1::/wrong\n:x:1:1\r\n"
		"amy:x:1001:1001::/home/amy\r\n\r\n";

	CHECK_INT(find_in(text, "amy"), LOOKUP_FOUND);
	CHECK_STR(user->home, "/home/amy");
	CHECK_INT(find_in(text, "#amy"), LOOKUP_NONE);
	CHECK_INT(find_in("\\#amy::1001\n", "#amy"), LOOKUP_FOUND);
}

TEST(names_are_compared_whole_and_exactly)
{
	static const char text[] = "amy@example.org::1001\nAmy::1002\n";

	CHECK_INT(find_in(text, "amy"), LOOKUP_NONE);
	CHECK_INT(find_in(text, "amy@example"), LOOKUP_NONE);
	CHECK_INT(find_in(text, "my@example.org"), LOOKUP_NONE);
	CHECK_INT(find_in(text, "Amy"), LOOKUP_FOUND);
	CHECK_INT(find_in(text, "amy@example.org"), LOOKUP_FOUND);
	CHECK_INT(find_in("jörg@bücher.example::1001\n", "jörg@bücher.example"),
		LOOKUP_FOUND);
}

TEST(the_first_line_of_a_name_counts)
{
	CHECK_INT(find_in("amy::1001\namy::1002\n", "amy"), LOOKUP_FOUND);
	CHECK_UINT(user->uid, 1001);
}

TEST(a_backslash_takes_the_next_character_as_it_is)
{
	CHECK_INT(find_in("a\\:b:p\\:w:1001:1001:g\\:c:/home/a\\:b::"
			  "k=with\\ blank l=c:\\\\d\\\n",
			  "a:b"),
		LOOKUP_FOUND);
	CHECK_UINT(user->uid, 1001);
	CHECK_STR(user->home, "/home/a:b");
	CHECK_STR(field("k"), "with blank");
	CHECK_STR(field("l"), "c:\\d\\");
}

TEST(a_file_without_prefixes_is_all_ours)
{
	CHECK_INT(find_in("amy:::::::user=bob mail=x quota_rule=y\n", "amy"),
		LOOKUP_FOUND);
	CHECK_STR(user->name, "bob");
	CHECK_STR(field("mail"), "x");
	CHECK_STR(field("quota_rule"), "y");
	CHECK_UINT(user->field_count, 2);
}

TEST(one_userdb_prefix_leaves_the_others_to_the_password_database)
{
	CHECK_INT(find_in("amy:::::::allow_nets=10.0.0.0/8 user=bob "
			  "userdb_mail=x nodelay userdb_quota_rule=y\n",
			  "amy"),
		LOOKUP_FOUND);
	CHECK_STR(user->name, "amy");
	CHECK_STR(field("mail"), "x");
	CHECK_STR(field("quota_rule"), "y");
	CHECK_UINT(user->field_count, 2);
}

/* Dovecot has them in the password database. */
TEST(where_mail_goes_on_to_needs_no_prefix)
{
	CHECK_INT(find_in("amy:::::::nopassword proxy host=b forward_x=1 "
			  "userdb_mail=x userdb_port=25\n",
			  "amy"),
		LOOKUP_FOUND);
	CHECK_STR(field("proxy"), "yes");
	CHECK_STR(field("host"), "b");
	CHECK_STR(field("forward_x"), "1");
	CHECK_STR(field("port"), "25");
	CHECK_UINT(user->field_count, 5);
}

TEST(an_address_is_mapped_to_a_user_of_its_own_line)
{
	static const char text[] =
		"amy.reed@example.org::1001:1001::/home/amy::user=amy\n";

	CHECK_INT(find_in(text, "amy.reed@example.org"), LOOKUP_FOUND);
	CHECK_STR(user->name, "amy");
	CHECK_STR(user->home, "/home/amy");
	CHECK_INT(find_in(text, "amy"), LOOKUP_NONE);
}

TEST(extra_fields_win_over_columns)
{
	CHECK_INT(find_in("amy::1001:1001::/home/amy::uid=1009 gid=1008 "
			  "home=/srv/amy system_groups_user=root\n",
			  "amy"),
		LOOKUP_FOUND);
	CHECK_UINT(user->uid, 1009);
	CHECK_UINT(user->gid, 1008);
	CHECK_STR(user->home, "/srv/amy");
	CHECK_STR(user->system_groups_user, "root");
	CHECK_UINT(user->field_count, 0);
}

TEST(variables_are_expanded_in_home_and_fields)
{
	CHECK_INT(find_in("amy@x.example::1001:1001::/srv/%d/%n::"
			  "mail=maildir:%h/M svc=%s p=100%%\n",
			  "amy@x.example"),
		LOOKUP_FOUND);
	CHECK_STR(user->home, "/srv/x.example/amy");
	CHECK_STR(field("mail"), "maildir:/srv/x.example/amy/M");
	CHECK_STR(field("svc"), "lda");
	CHECK_STR(field("p"), "100%");
}

TEST(uid_and_gid_may_be_names_of_the_system)
{
	CHECK_INT(find_in("amy:x:root:root\n", "amy"), LOOKUP_FOUND);
	CHECK(user->has_uid && user->has_gid);
	CHECK_UINT(user->uid, 0);
	CHECK_INT(find_in("amy:x:4294967294:1\n", "amy"), LOOKUP_FOUND);
	CHECK_INT(find_in("amy:x:4294967295:1\n", "amy"), LOOKUP_ERROR);
}

/* ---- args ---- */

TEST(args_take_options_and_a_path)
{
	const char *file = test_file("users", "amy::1001\n");

	CHECK_INT(find(format("scheme=CRYPT username_format=%%n %s", file),
			  "amy@example.org"),
		LOOKUP_FOUND);
	CHECK_STR(user->name, "amy@example.org");
	CHECK_INT(find(format("username_format=%%Ln %s", file), "AMY@x"),
		LOOKUP_FOUND);
	CHECK_INT(find(format("username_format=%%d %s", file), "amy"),
		LOOKUP_NONE);
}

/* As in %{user | username}. */
TEST(a_blank_in_an_option_has_a_backslash)
{
	const char *file = test_file("users", "amy::1001\n");

	CHECK_INT(
		find(format("username_format=%%{user\\ |\\ username} %s", file),
			"amy@example.org"),
		LOOKUP_FOUND);
}

TEST(wrong_args_are_refused_with_file_and_line)
{
	CHECK_INT(open_args(NULL), -1);
	CHECK_STR(err.detail, "d.conf:3: userdb: args of passwd-file: the path "
			      "is missing");
	CHECK_INT(open_args("users"), -1);
	CHECK_STR(err.detail,
		"d.conf:3: userdb: args of passwd-file: 'users' is neither "
		"username_format=, scheme= nor an absolute path");
	CHECK_INT(open_args("username_format=%y /users"), -1);
	CHECK_STR(err.detail, "d.conf:3: userdb: unknown variable %y at "
			      "position 1 of \"%y\"");
	CHECK_INT(open_args("/users/%y"), -1);
	CHECK_INT(open_args("/path with blank"), 0);
}

/* ---- a path with variables ---- */

TEST(a_domain_without_a_file_is_unknown)
{
	const char *args = test_path("%d/users");

	test_file("a.example/users", "amy@a.example::1001\n");
	if (!CHECK_INT(find(args, "amy@a.example"), LOOKUP_FOUND))
		return;
	CHECK_STR(user->source,
		format("passwd-file %s", test_path("a.example/users")));
	CHECK_INT(find(args, "eve@a.example"), LOOKUP_NONE);
	CHECK_INT(find(args, "amy@b.example"), LOOKUP_NONE);
	CHECK_INT(find(args, "amy"), LOOKUP_NONE);
}

TEST(a_missing_folder_before_the_variable_is_trouble)
{
	CHECK_INT(find(test_path("missing/%d/users"), "amy@a.example"),
		LOOKUP_ERROR);
	CHECK_INT(find(test_path("missing/%d"), "amy@a.example"), LOOKUP_ERROR);
}

TEST(other_trouble_with_a_path_with_variables_stays_trouble)
{
	test_file("a.example", "not a folder\n");
	CHECK_INT(find(test_path("%d/users"), "amy@a.example"), LOOKUP_ERROR);
}

TEST(a_name_does_not_lead_out_of_the_path)
{
	test_file("users", "amy::1001\n");
	test_file("d/x/users", "amy::1001\n");
	CHECK_INT(find(test_path("d/%d/users"), "amy@.."), LOOKUP_NONE);
	CHECK_INT(find(test_path("d/%d/users"), "amy@x/.."), LOOKUP_NONE);
	CHECK_INT(find(test_path("d/%2d/users"), "amy@..x"), LOOKUP_ERROR);
}

TEST(a_domain_too_long_for_a_file_name_is_unknown)
{
	char name[400];

	memset(name, 'd', sizeof(name));
	name[0] = 'u';
	name[1] = '@';
	name[sizeof(name) - 1] = '\0';
	CHECK_INT(find(test_path("%d/users"), name), LOOKUP_NONE);
}

/* ---- size ---- */

TEST(a_hundred_thousand_users_are_searched_in_milliseconds)
{
	struct buf text;
	const char *file;
	uint64_t start;
	int i;

	buf_init(&text, BUF_UNLIMITED);
	for (i = 0; i < 100000; i++)
		buf_add_format(&text,
			"user%06d@example.org:{SHA512-CRYPT}$6$saltsaltsalt$abc"
			"defghijklmnop:5000:5000::/srv/mail/%06d::\n",
			i, i);
	file = test_file_bytes("users", buf_view(&text));
	buf_clear(&text);
	start = clock_monotonic_ms();
	CHECK_INT(find(file, "user099999@example.org"), LOOKUP_FOUND);
	CHECK_STR(user->home, "/srv/mail/099999");
	CHECK_INT(find(file, "nobody@example.org"), LOOKUP_NONE);
	/* Far above what it takes, for busy machines and sanitizers. */
	CHECK(clock_monotonic_ms() - start < 1000);
}

/* Blocks of 64 KiB end at every place of a line. */
TEST(lines_across_blocks_are_read_whole)
{
	struct buf text;
	int shift;

	for (shift = 0; shift < 64; shift++) {
		buf_init(&text, BUF_UNLIMITED);
		buf_add_text(&text, "#");
		while (text.len < (size_t)(65536 - shift))
			buf_add_text(&text, text.len % 80 == 79 ? "\n#" : "x");
		buf_add_text(&text, "\namy::1001:1001::/home/amy::a=b c=d\n");
		CHECK_INT(find_in(buf_text(&text), "amy"), LOOKUP_FOUND);
		CHECK_STR(user->home, "/home/amy");
		CHECK_STR(field("c"), "d");
		buf_clear(&text);
	}
}
