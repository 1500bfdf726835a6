/* SPDX-License-Identifier: MIT */
#include "base/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/test.h"

#include "base/banned.h"

/* Ids that need no name. */
enum { SOME_UID = 54321, SOME_GID = 54322, MORE_GID = 54323 };

TEST(root_is_refused_as_recipient)
{
	struct identity identity = {.uid = 0, .gid = SOME_GID};
	struct err err;

	CHECK_INT(privilege_become(&identity, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_STR(err.status, "4.3.0");
	CHECK(strstr(err.detail, "refusing") != NULL);
}

/* setresuid(-1) means "leave it as it is": root would stay root. */
TEST(an_unset_id_is_refused)
{
	struct identity no_uid = {.uid = (uid_t)-1, .gid = SOME_GID};
	struct identity no_gid = {.uid = SOME_UID, .gid = (gid_t)-1};
	struct err err;

	CHECK_INT(privilege_become(&no_uid, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_INT(privilege_become(&no_gid, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
}

TEST(root_becomes_somebody_for_good)
{
	static const gid_t groups[] = {SOME_GID, MORE_GID};
	struct identity identity = {.uid = SOME_UID,
		.gid = SOME_GID,
		.groups = groups,
		.group_count = 2};
	gid_t found[16];
	uid_t uids[3];
	gid_t gids[3];
	struct err err;

	if (!privilege_is_root())
		SKIP("only root may change its uid");
	REQUIRE(privilege_become(&identity, &err) == 0);
	CHECK_INT(getresuid(&uids[0], &uids[1], &uids[2]), 0);
	CHECK_INT(getresgid(&gids[0], &gids[1], &gids[2]), 0);
	CHECK_INT(uids[0], SOME_UID);
	CHECK_INT(uids[1], SOME_UID);
	CHECK_INT(uids[2], SOME_UID);
	CHECK_INT(gids[0], SOME_GID);
	CHECK_INT(gids[1], SOME_GID);
	CHECK_INT(gids[2], SOME_GID);
	CHECK_INT(getgroups(16, found), 2);
	CHECK(!privilege_is_root());
	CHECK_INT(setuid(0), -1);
	CHECK_INT(seteuid(0), -1);
	CHECK_INT(setgid(0), -1);
	CHECK_INT(setgroups(0, NULL), -1);
}

TEST(no_group_of_root_is_kept)
{
	static const gid_t roots[] = {0, 1, 2};
	struct identity identity = {.uid = SOME_UID, .gid = SOME_GID};
	gid_t found[16];
	struct err err;

	if (!privilege_is_root())
		SKIP("only root may change its groups");
	REQUIRE(setgroups(3, roots) == 0);
	REQUIRE(privilege_become(&identity, &err) == 0);
	CHECK_INT(getgroups(16, found), 0);
}

/* The group that a file made now would get. */
static gid_t
group_of_new_file(const char *name)
{
	struct stat made;
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	REQUIRE(fd >= 0 && fstat(fd, &made) == 0);
	close(fd);
	return made.st_gid;
}

TEST(the_group_of_the_spool_is_in_effect_only_when_asked_for)
{
	struct identity identity = {.uid = SOME_UID,
		.gid = SOME_GID,
		.has_spool_group = true,
		.spool_group = MORE_GID};
	gid_t gids[3];
	struct err err;

	if (!privilege_is_root())
		SKIP("only root may change its groups");
	REQUIRE(chdir(test_folder()) == 0);
	REQUIRE(chown(".", SOME_UID, SOME_GID) == 0);
	REQUIRE(privilege_become(&identity, &err) == 0);
	CHECK_INT(group_of_new_file("before"), SOME_GID);
	REQUIRE(privilege_begin_spool());
	CHECK_INT(group_of_new_file("in the spool"), MORE_GID);
	privilege_end_spool();
	CHECK_INT(group_of_new_file("after"), SOME_GID);
	REQUIRE(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	CHECK_INT(gids[0], SOME_GID);
	CHECK_INT(gids[1], SOME_GID);
	CHECK_INT(setgid(0), -1);
	CHECK_INT(seteuid(0), -1);
	/* The kernel hides a process with a group in reserve from who looks for
	 * leaks. */
	CHECK_INT(setresgid(SOME_GID, SOME_GID, SOME_GID), 0);
}

/* As execve() does it. */
TEST(the_group_of_the_spool_passes_to_a_program_and_rests_there)
{
	struct identity identity = {.uid = SOME_UID,
		.gid = SOME_GID,
		.has_spool_group = true,
		.spool_group = MORE_GID};
	gid_t gids[3];
	struct err err;

	if (!privilege_is_root())
		SKIP("only root may change its groups");
	REQUIRE(chdir(test_folder()) == 0);
	REQUIRE(chown(".", SOME_UID, SOME_GID) == 0);
	REQUIRE(privilege_become_for_program(&identity, &err) == 0);
	CHECK_INT(group_of_new_file("before"), SOME_GID);
	REQUIRE(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	CHECK_INT(gids[2], SOME_GID);
	CHECK_INT(privilege_resume(&err), 0);
	CHECK_INT(group_of_new_file("after"), SOME_GID);
	REQUIRE(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	CHECK_INT(gids[0], SOME_GID);
	CHECK_INT(gids[1], SOME_GID);
	CHECK_INT(gids[2], MORE_GID);
	REQUIRE(privilege_begin_spool());
	CHECK_INT(group_of_new_file("in the spool"), MORE_GID);
	privilege_end_spool();
	/* Once is enough. */
	CHECK_INT(privilege_resume(&err), 0);
	REQUIRE(getresgid(&gids[0], &gids[1], &gids[2]) == 0);
	CHECK_INT(gids[2], MORE_GID);
	/* As above. */
	CHECK_INT(setresgid(SOME_GID, SOME_GID, SOME_GID), 0);
}

TEST(without_a_group_for_the_spool_nothing_changes)
{
	struct identity identity = {.uid = SOME_UID, .gid = SOME_GID};
	struct err err;

	if (privilege_is_root())
		REQUIRE(privilege_become(&identity, &err) == 0);
	errno = EACCES;
	CHECK(!privilege_begin_spool());
	CHECK_INT(errno, EACCES);
}

TEST(the_group_of_the_spool_is_never_roots)
{
	struct identity identity = {
		.uid = SOME_UID, .gid = SOME_GID, .has_spool_group = true};
	struct err err;

	CHECK_INT(privilege_become(&identity, &err), -1);
	CHECK_STR(err.status, "4.3.5");
}

static void
become_somebody(void)
{
	struct identity identity = {.uid = SOME_UID, .gid = SOME_GID};
	struct err err;

	if (privilege_is_root())
		REQUIRE(privilege_become(&identity, &err) == 0);
}

TEST(a_user_is_already_itself)
{
	struct identity identity = {.uid = 0};
	struct err err;

	become_somebody();
	identity.uid = geteuid();
	identity.gid = getegid();
	CHECK_INT(privilege_become(&identity, &err), 0);
}

TEST(a_user_cannot_become_another)
{
	struct identity identity = {.gid = SOME_GID};
	struct err err;

	become_somebody();
	identity.uid = geteuid() + 1;
	CHECK_INT(privilege_become(&identity, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK(strstr(err.detail, "may not become") != NULL);
}

TEST(the_groups_of_a_user_contain_its_own)
{
	struct arena *arena = arena_open();
	struct identity identity = {.uid = 0};
	bool found = false;
	struct err err;
	size_t i;

	REQUIRE(privilege_groups(arena, "no-such-user-here", SOME_GID,
			&identity, &err) == 0);
	REQUIRE(identity.group_count >= 1);
	for (i = 0; i < identity.group_count; i++)
		found = found || identity.groups[i] == SOME_GID;
	CHECK(found);
	arena_close(&arena);
}
