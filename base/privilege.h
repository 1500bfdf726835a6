/* privilege - become the recipient, for good
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
};

bool privilege_is_root(void);

/* Real, effective and saved ids become those of `identity`, and it is checked
 * that the old ones cannot be had back.  uid 0 is refused.  A process that is
 * not root and already is that uid keeps the groups it has; one that is another
 * uid fails.  Errors: 4.3.0. */
MUST_USE int privilege_become(const struct identity *identity, struct err *err);

/* Whether a setuid or setgid bit lent us rights that our caller has not. */
bool privilege_is_lent(void);

/* The groups that the system's group database gives to `user`, `gid` included.
 * Lives in the arena.  Errors: 4.3.0. */
MUST_USE int privilege_groups(struct arena *arena, const char *user, gid_t gid,
	struct identity *identity, struct err *err);

#endif
