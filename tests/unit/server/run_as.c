/* SPDX-License-Identifier: MIT */
#include "server/run_as.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/lib/test.h"

#include "base/banned.h"

/* Ids that need no name. */
enum { SOME_UID = 54321, OTHER_UID = 54325 };

static const struct settings *
load(struct arena *arena, const char *text)
{
	const struct conf_source source = {.file = test_file("conf", text),
		.protocol = CONF_PROTOCOL_LMTP};
	const struct settings *settings;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

static const char *
capture_stderr(void)
{
	const char *path = test_path("stderr");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	return path;
}

static bool
says(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static void
become_somebody(void)
{
	const struct identity identity = {.uid = SOME_UID, .gid = SOME_UID};
	struct err err;

	if (privilege_is_root())
		REQUIRE(privilege_become(&identity, &err) == 0);
}

TEST(a_server_of_a_user_is_that_user_in_all_processes)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load(arena, "");
	struct run_as run_as;
	struct err err;

	become_somebody();
	REQUIRE(run_as_find(arena, settings, &run_as, &err) == 0);
	CHECK(!run_as.is_root);
	CHECK_UINT(run_as.login.uid, geteuid());
	CHECK_UINT(run_as.internal.uid, geteuid());
	CHECK_UINT(run_as.internal.gid, getegid());
	arena_close(&arena);
}

/* Nothing runs as root only because nobody has made the users. */
TEST(default_users_that_are_missing_get_free_numbers_and_a_hint)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load(arena, "");
	const char *log = capture_stderr();
	struct run_as first, second;
	struct err err;

	if (!privilege_is_root())
		SKIP("only root has users to choose");
	if (getgrnam("doorstep") != NULL || getgrnam("doorstepd") != NULL)
		SKIP("the users are there");
	REQUIRE(run_as_find(arena, settings, &first, &err) == 0);
	REQUIRE(run_as_find(arena, settings, &second, &err) == 0);
	CHECK(first.is_root);
	CHECK(first.login.uid >= RUN_AS_FREE_FIRST);
	CHECK(first.login.uid <= RUN_AS_FREE_LAST);
	CHECK(first.internal.uid != first.login.uid);
	CHECK_UINT(first.login.gid, first.login.uid);
	CHECK_UINT(first.login.group_count, 0);
	CHECK_UINT(second.login.uid, first.login.uid);
	CHECK_UINT(second.internal.uid, first.internal.uid);
	CHECK(says(test_read(log).data, "useradd --system"));
	CHECK(says(test_read(log).data, "nologin doorstepd\n"));
	arena_close(&arena);
}

TEST(a_user_that_is_named_and_missing_is_an_error_with_a_hint)
{
	static const char *const keys[] = {
		"default_login_user", "default_internal_user"};
	struct run_as run_as;
	struct err err;
	size_t i;

	if (!privilege_is_root())
		SKIP("only root has users to choose");
	for (i = 0; i < ARRAY_LENGTH(keys); i++) {
		struct arena *arena = arena_open();
		const struct settings *settings = load(arena,
			arena_format(arena, "\n%s = no-such-user\n", keys[i]));

		CHECK_INT(run_as_find(arena, settings, &run_as, &err), -1);
		CHECK_STR(err.status, "4.3.5");
		CHECK(says(err.detail, "conf:2: "));
		CHECK(says(err.detail, keys[i]));
		CHECK(says(err.detail, "useradd --system"));
		CHECK(says(err.detail, "nologin no-such-user"));
		arena_close(&arena);
	}
}

TEST(a_user_that_is_named_is_taken_with_its_groups)
{
	struct arena *arena = arena_open();
	const struct settings *settings =
		load(arena, "default_login_user = daemon\n"
			    "default_internal_user = bin\n");
	struct run_as run_as;
	struct err err;

	if (!privilege_is_root())
		SKIP("only root has users to choose");
	REQUIRE(run_as_find(arena, settings, &run_as, &err) == 0);
	CHECK(run_as.login.uid != 0 && run_as.internal.uid != 0);
	CHECK(run_as.login.uid != run_as.internal.uid);
	CHECK_UINT(run_as.login.group_count, 0);
	CHECK(run_as.internal.group_count > 0);
	arena_close(&arena);
}

TEST(root_is_no_user_for_a_process)
{
	struct arena *arena = arena_open();
	const struct settings *settings =
		load(arena, "default_internal_user = root\n");
	struct run_as run_as;
	struct err err;

	if (!privilege_is_root())
		SKIP("only root has users to choose");
	capture_stderr();
	CHECK_INT(run_as_find(arena, settings, &run_as, &err), -1);
	CHECK(says(err.detail, "is root"));
	arena_close(&arena);
}

TEST(one_user_for_both_is_warned_of)
{
	struct arena *arena = arena_open();
	const struct settings *settings =
		load(arena, "default_login_user = daemon\n"
			    "default_internal_user = daemon\n");
	const char *log = capture_stderr();
	struct run_as run_as;
	struct err err;

	if (!privilege_is_root())
		SKIP("only root has users to choose");
	CHECK_INT(run_as_find(arena, settings, &run_as, &err), 0);
	CHECK(says(test_read(log).data, "both daemon"));
	arena_close(&arena);
}

TEST(a_number_that_is_taken_is_passed_over)
{
	struct arena *arena = arena_open();
	unsigned number = 0;
	struct err err;

	CHECK_INT(run_as_free_number(arena, RUN_AS_FREE_LAST, RUN_AS_FREE_LAST,
			  &number, &err),
		LOOKUP_FOUND);
	CHECK(number >= RUN_AS_FREE_FIRST && number < RUN_AS_FREE_LAST);
	arena_close(&arena);
}

/* ---- folders ---- */

static const struct settings *
load_folders(struct arena *arena)
{
	return load(arena, arena_format(arena,
				   "base_dir = %s/run/base\n"
				   "state_dir = %s/lib/state\n",
				   test_folder(), test_folder()));
}

static struct stat
look(const char *path)
{
	struct stat status = {0};

	CHECK(lstat(path, &status) == 0);
	return status;
}

TEST(missing_folders_are_made)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load_folders(arena);
	struct run_as run_as = {.is_root = privilege_is_root(),
		.internal = {.uid = SOME_UID, .gid = SOME_UID}};
	struct err err;
	int i;

	umask(077);
	for (i = 0; i < 2; i++) {
		REQUIRE(run_as_make_folders(settings, &run_as, &err) == 0);
		CHECK_UINT(look(test_path("run/base")).st_mode & 07777, 0755);
		CHECK_UINT(
			look(test_path("lib/state/env")).st_mode & 07777, 0700);
		CHECK_UINT(look(test_path("lib/state/env")).st_uid,
			run_as.is_root ? SOME_UID : geteuid());
	}
	arena_close(&arena);
}

TEST(state_follows_the_internal_user)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load_folders(arena);
	struct run_as run_as = {.is_root = true,
		.internal = {.uid = SOME_UID, .gid = SOME_UID}};
	const char *file, *outside, *target;
	struct err err;

	if (!privilege_is_root())
		SKIP("only root may give files away");
	REQUIRE(run_as_make_folders(settings, &run_as, &err) == 0);
	file = test_file("lib/state/env/db/data", "x");
	outside = test_file("outside", "x");
	target = test_file("target", "x");
	REQUIRE(symlink(target, test_path("lib/state/env/link")) == 0);
	REQUIRE(link(outside, test_path("lib/state/env/second")) == 0);
	REQUIRE(mkfifo(test_path("lib/state/env/fifo"), 0600) == 0);
	run_as.internal.uid = OTHER_UID;
	REQUIRE(run_as_make_folders(settings, &run_as, &err) == 0);
	CHECK_UINT(look(file).st_uid, OTHER_UID);
	CHECK_UINT(look(test_path("lib/state/env")).st_uid, OTHER_UID);
	CHECK_UINT(look(outside).st_uid, 0);
	CHECK_UINT(look(target).st_uid, 0);
	arena_close(&arena);
}

TEST(a_link_in_the_place_of_the_state_is_not_followed)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load_folders(arena);
	struct run_as run_as = {.is_root = true,
		.internal = {.uid = SOME_UID, .gid = SOME_UID}};
	struct err err;

	if (!privilege_is_root())
		SKIP("only root may give files away");
	test_file("lib/state/file", "");
	test_file("other/file", "");
	REQUIRE(symlink(test_path("other"), test_path("lib/state/env")) == 0);
	CHECK_INT(run_as_make_folders(settings, &run_as, &err), -1);
	CHECK(says(err.detail, "lib/state/env"));
	CHECK_UINT(look(test_path("other")).st_uid, 0);
	arena_close(&arena);
}

TEST(a_folder_that_cannot_be_made_is_named_with_what_to_do)
{
	struct arena *arena = arena_open();
	const struct settings *settings =
		load(arena, "base_dir = /proc/doorstep/x\n");
	struct run_as run_as = {.is_root = false};
	struct err err;

	become_somebody();
	CHECK_INT(run_as_make_folders(settings, &run_as, &err), -1);
	CHECK_STR(err.status, "4.3.5");
	CHECK(says(err.detail, "base_dir: cannot make or use "
			       "/proc/doorstep/x as uid "));
	CHECK(says(err.detail, "set base_dir to"));
	arena_close(&arena);
}

TEST(a_folder_that_may_not_be_written_is_named)
{
	struct arena *arena = arena_open();
	const struct settings *settings = load(arena, "base_dir = /usr\n");
	struct run_as run_as = {.is_root = false};
	struct err err;

	become_somebody();
	CHECK_INT(run_as_make_folders(settings, &run_as, &err), -1);
	CHECK(says(err.detail, "/usr as uid"));
	arena_close(&arena);
}
