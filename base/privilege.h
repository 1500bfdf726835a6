/* privilege - become the recipient, for good
 *
 * One right more may be kept: a group that may write a mail spool such as
 * /var/mail.  It waits as the saved group id, where it opens no file and no folder,
 * and is taken for the single call that makes or removes a name in the spool.
 * (As one of the supplementary groups it would be in effect all the time, for
 * every file that a user's links lead to.)  A program that is executed does not
 * get it.
 *
 * The only place that changes uid, gid or groups.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct identity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary, may hold gid as well */
	size_t group_count;
	bool has_spool_group;
	gid_t spool_group; /* mail_privileged_group; never root's */
};

bool privilege_is_root(void);

/* Real, effective and saved ids become those of `identity` (the saved group its
 * spool_group), and it is checked that the old ones cannot be had back.  uid 0 is refused.  A process that is
 * not root and already is that uid keeps the groups it has; one that is another
 * uid fails.  Errors: 4.3.0. */
MUST_USE int privilege_become(const struct identity *identity, struct err *err);

/* The same in a process that executes a program next, which takes the spool's
 * group on by privilege_resume(): until then it is the real group id, by which
 * nothing is opened either. */
MUST_USE int privilege_become_for_program(
	const struct identity *identity, struct err *err);
/* The first step of that program; does nothing where there is no such group.
 * Errors: 4.3.0. */
MUST_USE int privilege_resume(struct err *err);

/* The spool's group becomes the effective one, until privilege_end_spool().  False
 * when there is none: nothing has changed then.  errno is kept by both. */
MUST_USE bool privilege_begin_spool(void);
void privilege_end_spool(void);

/* Whether a setuid or setgid bit lent us rights that our caller has not. */
bool privilege_is_lent(void);

/* The groups that the system's group database gives to `user`, `gid` included.
 * Lives in the arena.  Errors: 4.3.0. */
MUST_USE int privilege_groups(struct arena *arena, const char *user, gid_t gid,
	struct identity *identity, struct err *err);

#endif
