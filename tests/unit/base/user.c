/* SPDX-License-Identifier: MIT */
#include "base/user.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

static struct err err;

static struct arena *
own_arena(void)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_open();
	return arena;
}

TEST(unknown_and_trouble_are_told_apart)
{
	static const int troubles[] = {EIO, EMFILE, ENFILE, ENOMEM, ETIMEDOUT,
		ECONNREFUSED, EAGAIN, EPERM, EACCES, ERANGE, EINVAL};
	size_t i;

	CHECK_INT(user_missing_means(0, true), LOOKUP_NONE);
	/* 0 is the answer of a database that works. */
	CHECK_INT(user_missing_means(0, false), LOOKUP_NONE);
	CHECK_INT(user_missing_means(ENOENT, true), LOOKUP_NONE);
	CHECK_INT(user_missing_means(ESRCH, true), LOOKUP_NONE);
	/* A system without root has no user database at hand. */
	CHECK_INT(user_missing_means(ENOENT, false), LOOKUP_ERROR);
	CHECK_INT(user_missing_means(ESRCH, false), LOOKUP_ERROR);
	for (i = 0; i < ARRAY_LENGTH(troubles); i++)
		CHECK_INT(user_missing_means(troubles[i], true), LOOKUP_ERROR);
}

TEST(a_known_user_is_found_by_name_and_uid)
{
	struct system_user user;

	CHECK_INT(user_by_name(own_arena(), STR("root"), &user, &err),
		LOOKUP_FOUND);
	CHECK_STR(user.name, "root");
	CHECK_UINT(user.uid, 0);
	CHECK_UINT(user.gid, 0);
	CHECK_STR(user.home, "/root");
	CHECK_INT(user_by_uid(own_arena(), 0, &user, &err), LOOKUP_FOUND);
	CHECK_STR(user.name, "root");
}

TEST(an_unknown_user_is_unknown)
{
	struct system_user user;

	CHECK_INT(user_by_name(
			  own_arena(), STR("no-such-user-here"), &user, &err),
		LOOKUP_NONE);
	CHECK_INT(user_by_name(own_arena(), STR(""), &user, &err), LOOKUP_NONE);
	CHECK_INT(user_by_name(own_arena(), str_of("root\0x", 6), &user, &err),
		LOOKUP_NONE);
	CHECK_INT(user_by_uid(own_arena(), 3999999999u, &user, &err),
		LOOKUP_NONE);
}

/* Needs a root of its own: an empty folder has no /etc/passwd. */
static void
look_up_in_empty_root(void *context)
{
	struct system_user user;
	enum lookup found;

	if (chroot(context) < 0)
		_exit(99);
	found = user_by_name(
		own_arena(), STR("no-such-user-here"), &user, &err);
	_exit(found == LOOKUP_ERROR ? 0 : 1);
}

TEST(a_system_without_its_passwd_file_is_trouble)
{
	int status = test_child(
		look_up_in_empty_root, (void *)(uintptr_t)test_folder());

	if (status == 99)
		SKIP("only root may change its root");
	CHECK_INT(status, 0);
}

TEST(ids_are_numbers_or_names)
{
	uid_t uid = 7;
	gid_t gid = 7;

	CHECK_INT(user_parse_uid(own_arena(), STR("5000"), &uid, &err),
		LOOKUP_FOUND);
	CHECK_UINT(uid, 5000);
	CHECK_INT(user_parse_uid(own_arena(), STR("root"), &uid, &err),
		LOOKUP_FOUND);
	CHECK_UINT(uid, 0);
	CHECK_INT(user_parse_gid(own_arena(), STR("5001"), &gid, &err),
		LOOKUP_FOUND);
	CHECK_UINT(gid, 5001);
	CHECK_INT(user_parse_gid(own_arena(), STR("root"), &gid, &err),
		LOOKUP_FOUND);
	CHECK_UINT(gid, 0);
}

TEST(what_is_no_id_is_none)
{
	static const char *const texts[] = {"", "-1", "4294967295",
		"4294967296", "99999999999999999999999", "0x10", "1 ",
		"no-such-name-here"};
	uid_t uid;
	gid_t gid;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(texts); i++) {
		CHECK_INT(user_parse_uid(
				  own_arena(), str_from(texts[i]), &uid, &err),
			LOOKUP_NONE);
		CHECK_INT(user_parse_gid(
				  own_arena(), str_from(texts[i]), &gid, &err),
			LOOKUP_NONE);
	}
}
