/* SPDX-License-Identifier: MIT */
#include "userdb/passwd_index.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/filestate.h"
#include "userdb/userdb.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;

/* So late that no file of the test is in doubt. */
static void
wait_for_settled_files(void)
{
	clock_fix(clock_now().tv_sec + FILE_STATE_DOUBT_S + 60, 0, "host", 1);
}

static struct userdb *
open_db(const char *args, bool is_kept)
{
	/* As long as the database. */
	static struct userdb_settings settings[4];
	static size_t used;
	struct userdb *db = NULL;

	settings[used] =
		(struct userdb_settings){.driver = "passwd-file", .args = args};
	REQUIRE(userdb_open(&settings[used], 1, &db, &err) == 0);
	used = (used + 1) % 4;
	if (is_kept)
		userdb_keep(db);
	return db;
}

/* The answer as one text. */
static const char *
ask(struct userdb *db, struct arena *arena, struct str name)
{
	const struct user *user = NULL;
	const char *text;
	size_t i;

	err_clear(&err);
	switch (userdb_find(db, arena, name, "lda", &user, &err)) {
	case LOOKUP_NONE:
		return "nobody";
	case LOOKUP_ERROR:
		return arena_format(
			arena, "%s %s", err.status, err_log_text(&err));
	case LOOKUP_FOUND:
		break;
	}
	text = arena_format(arena, "%s %ld %s %s", user->name,
		user->has_uid ? (long)user->uid : -1L,
		user->home != NULL ? user->home : "-", user->source);
	for (i = 0; i < user->field_count; i++)
		text = arena_format(arena, "%s %.*s=%.*s", text,
			STR_ARG(user->fields[i].name),
			STR_ARG(user->fields[i].value));
	return text;
}

static const char *
home_of(struct userdb *db, const char *name)
{
	static struct arena *arena;
	const struct user *user;

	if (arena == NULL)
		arena = arena_open();
	err_clear(&err);
	switch (userdb_find(db, arena, str_from(name), "lda", &user, &err)) {
	case LOOKUP_FOUND:
		return user->home;
	case LOOKUP_NONE:
		return "nobody";
	case LOOKUP_ERROR:
		break;
	}
	return "trouble";
}

/* In place: the inode stays. */
static void
rewrite(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	REQUIRE(close(fd) == 0);
}

/* ---- index and scan ---- */

struct random {
	uint64_t state;
};

static unsigned
roll(struct random *random, unsigned sides)
{
	random->state =
		random->state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(random->state >> 33) % sides;
}

static const char *const pieces[] = {"a", "b", "a", "b", ":", ":", "\\", "#",
	"@", "\n", "\n", "\r\n", "\r", " ", "x=y", "user=b", "5000", "/home/a",
	"::::", "a:::::/h::", "\\:", "\\\\", "userdb_x=1", "\xff"};

static void
add_random_text(struct random *random, struct buf *text)
{
	unsigned count = roll(random, 40), i;

	for (i = 0; i < count; i++)
		buf_add_text(text, pieces[roll(random, ARRAY_LENGTH(pieces))]);
	/* Sometimes a line that is too long, or one that ends with a block. */
	if (roll(random, 20) == 0) {
		size_t more = PASSWD_LINE_MAX - 3 + roll(random, 6);

		while (more-- > 0)
			buf_add_char(text, 'a');
		buf_add_text(text, pieces[roll(random, ARRAY_LENGTH(pieces))]);
		buf_add_text(text, "\na:x:5::/after\n");
	}
}

TEST(an_index_gives_the_answers_of_a_scan)
{
	static const char *const names[] = {"a", "b", "ab", "aa", "ba", "#a",
		"a:b", "a\\", "a#", "#", ":", "\\", "\\:", "a@b", "@", "a ",
		" ", "a b", "x=y", "a\\:b", "::", "nobody"};
	struct random random = {1};
	size_t different = 0, found = 0;
	unsigned round, i;
	struct buf text;

	wait_for_settled_files();
	buf_init(&text, BUF_UNLIMITED);
	for (round = 0; round < 1500; round++) {
		struct arena *arena = arena_open();
		struct userdb *scan, *kept;
		const char *path;

		buf_reset(&text);
		add_random_text(&random, &text);
		path = test_file_bytes("users", buf_view(&text));
		scan = open_db(path, false);
		kept = open_db(path, true);
		for (i = 0; i < ARRAY_LENGTH(names); i++) {
			const char *a = ask(scan, arena, str_from(names[i]));
			const char *b = ask(kept, arena, str_from(names[i]));

			found += strcmp(a, "nobody") != 0;
			if (strcmp(a, b) == 0)
				continue;
			different++;
			printf("# %u %s: %s, not %s\n", round, names[i], b, a);
		}
		userdb_close(&scan);
		userdb_close(&kept);
		arena_close(&arena);
	}
	CHECK_UINT(different, 0);
	CHECK(found > 1000);
	buf_clear(&text);
}

TEST(every_user_of_many_is_found)
{
	struct passwd_indexes *indexes = passwd_indexes_open();
	const struct passwd_index *index;
	struct passwd_line line;
	unsigned missing = 0, i;
	struct buf text;
	char name[32];

	wait_for_settled_files();
	buf_init(&text, BUF_UNLIMITED);
	for (i = 0; i < 20000; i++)
		buf_add_format(&text, "u%u@example.org:x:%u\n", i, i);
	index = passwd_indexes_get(
		indexes, test_file_bytes("users", buf_view(&text)));
	REQUIRE(index != NULL);
	for (i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "u%u@example.org", i);
		missing += !passwd_index_find(index, str_from(name), &line) ||
		           line.number != i + 1;
	}
	CHECK_UINT(missing, 0);
	CHECK(!passwd_index_find(index, STR("u20000@example.org"), &line));
	passwd_indexes_close(&indexes);
	buf_clear(&text);
}

/* ---- a file that changes ---- */

TEST(an_edit_counts_at_once)
{
	const char *path = test_path("users");
	struct userdb *db = open_db(path, true);
	struct stat status;

	wait_for_settled_files();
	rewrite(path, "amy:x:5:5::/one\n");
	CHECK_STR(home_of(db, "amy"), "/one");
	rewrite(path, "amy:x:5:5::/two\n");
	CHECK_STR(home_of(db, "amy"), "/two");
	/* By another file of that size, with the time of the old one. */
	REQUIRE(stat(path, &status) == 0);
	rewrite(test_path("next"), "amy:x:5:5::/new\n");
	REQUIRE(utimensat(AT_FDCWD, test_path("next"),
			(struct timespec[]){status.st_atim, status.st_mtim},
			0) == 0);
	REQUIRE(rename(test_path("next"), path) == 0);
	CHECK_STR(home_of(db, "amy"), "/new");
	CHECK_STR(home_of(db, "bob"), "nobody");
	userdb_close(&db);
}

TEST(a_file_in_trouble_makes_nobody_unknown)
{
	const char *path = test_path("users");
	struct userdb *db = open_db(path, true);

	wait_for_settled_files();
	rewrite(path, "amy:x:5:5::/one\nbob:x:5:5::/two\n");
	CHECK_STR(home_of(db, "bob"), "/two");
	rewrite(path, "");
	CHECK_STR(home_of(db, "amy"), "trouble");
	rewrite(path, "amy:x:5:5::/one\nbo");
	CHECK_STR(home_of(db, "bob"), "trouble");
	CHECK_STR(home_of(db, "amy"), "/one");
	REQUIRE(unlink(path) == 0);
	CHECK_STR(home_of(db, "amy"), "trouble");
	REQUIRE(mkdir(path, 0700) == 0);
	CHECK_STR(home_of(db, "amy"), "trouble");
	REQUIRE(rmdir(path) == 0);
	rewrite(path, "amy:x:5:5::/one\n");
	CHECK_STR(home_of(db, "amy"), "/one");
	CHECK_STR(home_of(db, "bob"), "nobody");
	userdb_close(&db);
}

TEST(a_file_that_has_become_unreadable_is_trouble)
{
	const char *path = test_path("users");
	struct userdb *db = open_db(path, true);
	char above[4096];

	wait_for_settled_files();
	rewrite(path, "amy:x:5:5::/one\n");
	if (geteuid() == 0) {
		snprintf(above, sizeof(above), "%s/..", test_folder());
		REQUIRE(chmod(above, 0711) == 0);
		REQUIRE(chown(test_folder(), 12345, 12345) == 0);
		REQUIRE(chown(path, 12345, 12345) == 0);
		REQUIRE(seteuid(12345) == 0);
	}
	CHECK_STR(home_of(db, "amy"), "/one");
	REQUIRE(chmod(path, 0) == 0);
	CHECK_STR(home_of(db, "amy"), "trouble");
	REQUIRE(chmod(path, 0600) == 0);
	CHECK_STR(home_of(db, "amy"), "/one");
	REQUIRE(chmod(test_folder(), 0) == 0);
	CHECK_STR(home_of(db, "amy"), "trouble");
	REQUIRE(chmod(test_folder(), 0700) == 0);
	REQUIRE(seteuid(getuid()) == 0);
	userdb_close(&db);
}

/* ---- what is kept ---- */

TEST(a_file_that_changed_a_moment_ago_is_scanned)
{
	struct passwd_indexes *indexes = passwd_indexes_open();
	const char *path = test_file("users", "amy:x:5\n");
	struct stat status;

	REQUIRE(stat(path, &status) == 0);
	clock_fix(status.st_ctim.tv_sec + FILE_STATE_DOUBT_S, 0, "host", 1);
	CHECK(passwd_indexes_get(indexes, path) == NULL);
	clock_fix(status.st_ctim.tv_sec - 100, 0, "host", 1);
	CHECK(passwd_indexes_get(indexes, path) == NULL);
	clock_fix(status.st_ctim.tv_sec + FILE_STATE_DOUBT_S + 1, 0, "host", 1);
	CHECK(passwd_indexes_get(indexes, path) != NULL);
	passwd_indexes_close(&indexes);
}

TEST(an_index_is_used_again)
{
	struct passwd_indexes *indexes = passwd_indexes_open();
	const char *path = test_file("users", "amy:x:5\n");
	const struct passwd_index *first;

	wait_for_settled_files();
	first = passwd_indexes_get(indexes, path);
	CHECK(first != NULL);
	CHECK(passwd_indexes_get(indexes, path) == first);
	passwd_indexes_close(&indexes);
}

TEST(the_files_and_their_bytes_are_bounded)
{
	enum { FILES = 10, BYTES = 64 * 1024 };
	struct passwd_indexes *indexes = passwd_indexes_open();
	const char *first = NULL;
	char name[32];
	unsigned i;

	wait_for_settled_files();
	passwd_indexes_limit(indexes, FILES, BYTES);
	for (i = 0; i < 3 * FILES; i++) {
		snprintf(name, sizeof(name), "users%u", i);
		CHECK(passwd_indexes_get(
			      indexes, test_file(name, "amy:x:5\n")) != NULL);
		if (first == NULL)
			first = test_path(name);
		/* It is used all the time, and stays. */
		CHECK(passwd_indexes_get(indexes, first) != NULL);
		CHECK(passwd_indexes_count(indexes) <= FILES);
	}
	CHECK_UINT(passwd_indexes_count(indexes), FILES);
	CHECK(passwd_indexes_bytes(indexes) <= BYTES);
	passwd_indexes_close(&indexes);
}

TEST(a_file_that_is_too_large_is_scanned)
{
	struct passwd_indexes *indexes = passwd_indexes_open();
	const char *large, *small = test_file("small", "amy:x:5\n");
	struct buf text;
	unsigned i;

	buf_init(&text, BUF_UNLIMITED);
	for (i = 0; i < 10000; i++)
		buf_add_format(&text, "u%u\n", i);
	large = test_file_bytes("large", buf_view(&text));
	wait_for_settled_files();
	passwd_indexes_limit(indexes, 10, 64 * 1024);
	CHECK(passwd_indexes_get(indexes, small) != NULL);
	CHECK(passwd_indexes_get(indexes, large) == NULL);
	CHECK(passwd_indexes_get(indexes, large) == NULL);
	/* It is remembered as such, and takes the place of nobody. */
	CHECK_UINT(passwd_indexes_count(indexes), 2);
	CHECK(passwd_indexes_bytes(indexes) < 16 * 1024);
	passwd_indexes_close(&indexes);
	buf_clear(&text);
}

TEST(each_domain_may_have_a_file)
{
	char args[4096];
	struct userdb *db;

	wait_for_settled_files();
	test_file("users.a.example", "amy:x:5:5::/a\n");
	test_file("users.b.example", "amy:x:5:5::/b\n");
	snprintf(args, sizeof(args), "username_format=%%n %s",
		test_path("users.%d"));
	db = open_db(args, true);
	CHECK_STR(home_of(db, "amy@a.example"), "/a");
	CHECK_STR(home_of(db, "amy@b.example"), "/b");
	CHECK_STR(home_of(db, "amy@a.example"), "/a");
	CHECK_STR(home_of(db, "amy@c.example"), "nobody");
	CHECK_STR(home_of(db, "bob@b.example"), "nobody");
	userdb_close(&db);
}
