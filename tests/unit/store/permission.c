/* SPDX-License-Identifier: MIT */
#include "store/permission.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/store/box.h"

#include "base/banned.h"

static struct permission
from(mode_t mode, gid_t group)
{
	struct stat folder = {.st_mode = S_IFDIR | mode, .st_gid = group};
	struct permission permission;

	permission_init_from(&permission, &folder, "/srv/amy");
	return permission;
}

TEST(a_file_gets_the_folders_read_and_write_bits)
{
	static const struct {
		mode_t folder, file, sub_folder;
	} cases[] = {
		{0700, 0600, 0700},
		{0770, 0660, 0770},
		{0750, 0640, 0750},
		{0755, 0644, 0755},
		{0000, 0600, 0700},
		{0711, 0600, 0711},
		/* Who may read may search. */
		{0740, 0640, 0750},
		{0704, 0604, 0705},
		{02770, 0660, 02770},
		{01777, 0666, 0777},
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct permission permission = from(cases[i].folder, 1);

		CHECK_INT(permission.file_mode, cases[i].file);
		CHECK_INT(permission.folder_mode, cases[i].sub_folder);
	}
}

TEST(the_group_is_given_only_when_it_gains_something)
{
	gid_t other = getegid() + 1;

	CHECK(from(0770, other).needs_group);
	CHECK(from(0750, other).needs_group);
	CHECK(!from(0700, other).needs_group);
	CHECK(!from(0755, other).needs_group);  /* the world may do the same */
	CHECK(!from(02770, other).needs_group); /* the kernel does it */
	CHECK(!from(0770, getegid()).needs_group);
}

TEST(permissions_are_the_same_by_mode_and_group)
{
	struct permission a = from(0770, 5), b = from(0770, 6),
			  c = from(02770, 5), d = from(0700, 5);

	CHECK(permission_is_same(&a, &a));
	CHECK(!permission_is_same(&a, &b));
	CHECK(permission_is_same(&a, &c));
	CHECK(!permission_is_same(&a, &d));
}

TEST(a_file_gets_its_mode_whatever_the_umask)
{
	struct permission permission = from(0775, getegid());
	const char *path = test_file("mail", "x");
	int fd = open(path, O_WRONLY);

	umask(0177);
	CHECK_INT(permission_apply_file(&permission, fd, path), 0);
	CHECK_INT(box_mode("mail"), 0664);
	fd_close(&fd);
}

TEST(a_folder_gets_its_mode_whatever_the_umask)
{
	struct permission permission = from(0775, getegid());
	const char *path = test_path("f");

	umask(0177);
	CHECK_INT(permission_make_folder(&permission, path), 0);
	CHECK_INT(box_mode("f"), 0775);
	CHECK_INT(umask(0), 0177);
}

static gid_t
group_of(const char *name)
{
	struct stat found;

	REQUIRE(stat(test_path(name), &found) == 0);
	return found.st_gid;
}

TEST(root_can_give_any_group)
{
	struct permission permission = from(0770, BOX_GID);
	const char *path = test_file("mail", "x");
	int fd = open(path, O_WRONLY);

	if (geteuid() != 0)
		SKIP("needs root");
	CHECK_INT(permission_apply_file(&permission, fd, path), 0);
	CHECK_INT(group_of("mail"), BOX_GID);
	CHECK_INT(permission_make_folder(&permission, test_path("f")), 0);
	CHECK_INT(group_of("f"), BOX_GID);
	permission = from(02770, BOX_GID);
	CHECK_INT(permission_make_folder(&permission, test_path("g")), 0);
	CHECK_INT(group_of("g"), BOX_GID);
	CHECK_INT(box_mode("g"), 02770);
	fd_close(&fd);
}

TEST(a_group_that_may_not_be_given_leaves_the_file_to_its_owner)
{
	struct permission permission;
	const char *path;
	int fd;

	if (geteuid() != 0)
		SKIP("needs root, to have groups that one is not in");
	box_be_nobody();
	permission = from(0775, BOX_GID + 1);
	path = test_file("mail", "x");
	fd = open(path, O_WRONLY);
	CHECK_INT(permission_apply_file(&permission, fd, path), 0);
	CHECK_INT(box_mode("mail"), 0604);
	CHECK_INT(permission_make_folder(&permission, test_path("f")), 0);
	CHECK_INT(box_mode("f"), 0705);
	fd_close(&fd);
}

/* ---- explanations ---- */

static const char *
explain(const char *path)
{
	static struct buf text;

	buf_reset(&text);
	text.max = BUF_UNLIMITED;
	permission_explain(&text, path);
	return buf_text(&text);
}

static bool
says(const char *path, const char *format, const char *folder)
{
	char expected[4096];
	const char *found = explain(path);

	snprintf(expected, sizeof(expected), format, folder);
	if (strstr(found, expected) != NULL)
		return true;
	printf("# found %s\n# expected %s\n", found, expected);
	return false;
}

TEST(the_folder_that_may_not_be_entered_is_named)
{
	box_be_nobody();
	test_file("a/b/c", "x");
	REQUIRE(chmod(test_path("a"), 0600) == 0);
	CHECK(says(test_path("a/b/c"), "missing +x perm: %s, dir owned by",
		test_path("a")));
	CHECK(says(test_path("a/b/c"), "mode=0600%s", ""));
	REQUIRE(chmod(test_path("a"), 0700) == 0);
}

TEST(the_folder_that_may_not_be_written_is_named)
{
	box_be_nobody();
	box_make_folder("a", 0500);
	CHECK(says(test_path("a/new"), "missing +w perm: %s, dir owned by",
		test_path("a")));
	CHECK(says(test_path("a/new"), "euid=%s",
		geteuid() == BOX_UID ? "12345 egid=12346" : ""));
}

TEST(the_nearest_folder_that_is_there_is_asked)
{
	box_be_nobody();
	box_make_folder("a", 0500);
	CHECK(says(test_path("a/b/c/new"), "missing +w perm: %s, dir owned by",
		test_path("a")));
	CHECK(says(test_path("a/b/c/new"), "mode=0500%s", ""));
	CHECK(says(
		"/not/there/at/all", "missing +w perm: /, dir owned by%s", ""));
}

TEST(a_folder_that_takes_nothing_is_named_itself)
{
	box_be_nobody();
	test_file("a/b/c", "x");
	CHECK_INT(chmod(test_path("a/b"), 0555), 0);
	CHECK(says(test_path("a/b"), "missing +w perm: %s, dir owned by",
		test_path("a/b")));
}

TEST(without_a_missing_permission_that_is_said)
{
	box_be_nobody();
	test_file("a/b", "x");
	CHECK(says(test_path("a/b"), "UNIX perms appear ok%s", ""));
	CHECK(says("relative", "euid=%s", ""));
}
