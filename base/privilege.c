/* SPDX-License-Identifier: MIT */
#include "base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/memory.h"

#include "base/banned.h"

bool
privilege_is_root(void)
{
	return geteuid() == 0;
}

static int
refuse_root(const struct identity *identity, struct err *err)
{
	if (identity->uid == 0)
		return err_temp(
			err, "4.3.0", "refusing to read mail as uid 0 (root)");
	if (identity->uid == (uid_t)-1 || identity->gid == (gid_t)-1)
		return err_temp(err, "4.3.0", "no uid or gid is set");
	if (identity->has_spool_group && identity->spool_group == 0)
		return err_temp(err, "4.3.5",
			"mail_privileged_group may not be root's group");
	return 0;
}

/* Real, effective and saved. */
struct group_ids {
	gid_t ids[3];
};

static struct group_ids
resting(const struct identity *identity)
{
	return (struct group_ids){{identity->gid, identity->gid,
		identity->has_spool_group ? identity->spool_group
					  : identity->gid}};
}

/* execve() copies the effective id to the saved one; the real one stays. */
static struct group_ids
before_program(const struct identity *identity)
{
	struct group_ids groups = resting(identity);

	return (struct group_ids){
		{groups.ids[2], groups.ids[0], groups.ids[0]}};
}

static int
verify(const struct identity *identity, struct group_ids groups,
	struct err *err)
{
	uid_t uids[3];
	gid_t gids[3];
	int i;

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
		getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return err_temp_errno(err, "4.3.0", "cannot read own ids");
	for (i = 0; i < 3; i++)
		if (uids[i] != identity->uid || gids[i] != groups.ids[i])
			return err_temp(err, "4.3.0",
				"uid %lu gid %lu was not taken wholly",
				(unsigned long)identity->uid,
				(unsigned long)identity->gid);
	if (setuid(0) == 0 || seteuid(0) == 0)
		return err_temp(err, "4.3.0", "root could be had back");
	return 0;
}

static int
become(const struct identity *identity, struct group_ids groups,
	struct err *err)
{
	if (refuse_root(identity, err) < 0)
		return -1;
	if (geteuid() != 0) {
		if (geteuid() == identity->uid)
			return 0;
		return err_temp(err, "4.3.0",
			"running as uid %lu, which may not become uid %lu: "
			"start it as root or as that user",
			(unsigned long)geteuid(), (unsigned long)identity->uid);
	}
	if (setgroups(identity->group_count, identity->groups) < 0)
		return err_temp_errno(err, "4.3.0", "cannot set %zu groups",
			identity->group_count);
	if (setresgid(groups.ids[0], groups.ids[1], groups.ids[2]) < 0)
		return err_temp_errno(err, "4.3.0", "cannot become gid %lu",
			(unsigned long)identity->gid);
	if (setresuid(identity->uid, identity->uid, identity->uid) < 0)
		return err_temp_errno(err, "4.3.0", "cannot become uid %lu",
			(unsigned long)identity->uid);
	return verify(identity, groups, err);
}

int
privilege_become(const struct identity *identity, struct err *err)
{
	return become(identity, resting(identity), err);
}

int
privilege_become_for_program(const struct identity *identity, struct err *err)
{
	return become(identity, before_program(identity), err);
}

int
privilege_resume(struct err *err)
{
	gid_t real = getgid(), effective = getegid();

	if (real == effective)
		return 0;
	if (setresgid(effective, effective, real) < 0)
		return err_temp_errno(
			err, "4.3.0", "cannot keep the spool's group");
	return 0;
}

bool
privilege_begin_spool(void)
{
	gid_t real, effective, saved;
	int reason = errno;
	bool has_begun;

	has_begun = getresgid(&real, &effective, &saved) == 0 &&
	            saved != effective &&
	            setresgid((gid_t)-1, saved, (gid_t)-1) == 0;
	errno = reason;
	return has_begun;
}

void
privilege_end_spool(void)
{
	int reason = errno;

	if (setresgid((gid_t)-1, getgid(), (gid_t)-1) < 0)
		BUG("the spool's group cannot be given back");
	errno = reason;
}

bool
privilege_is_lent(void)
{
	return getuid() != geteuid() || getgid() != getegid() ||
	       getauxval(AT_SECURE) != 0;
}

int
privilege_groups(struct arena *arena, const char *user, gid_t gid,
	struct identity *identity, struct err *err)
{
	int count, wanted = 32, found;
	gid_t *groups;

	do {
		count = wanted;
		groups = ARENA_ARRAY(arena, gid_t, (size_t)count);
		/* On failure it says how many there are. */
		found = getgrouplist(user, gid, groups, &wanted);
	} while (found < 0 && wanted > count);
	if (found < 0)
		return err_temp(
			err, "4.3.0", "cannot read the groups of %s", user);
	identity->groups = groups;
	identity->group_count = (size_t)wanted;
	return 0;
}
