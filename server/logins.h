/* logins - passwords are checked beside the process, which goes on meanwhile
 *
 * A hash is slow by intention.  A few threads of low priority check them, for each
 * name one at a time: who guesses at one name holds up nobody else.  There are so
 * many waiting at most, and of a name a part of them, so that guessing costs nobody's
 * mail and nobody else's login.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_LOGINS_H
#define SERVER_LOGINS_H

#include <stdint.h>

#include "base/attributes.h"
#include "base/err.h"
#include "base/str.h"

enum {
	LOGINS_WAITING_MAX = 100,
	LOGINS_OF_NAME_MAX = 25,
	LOGINS_THREADS_MAX = 4
};

struct logins;

struct login {
	uint64_t request, front; /* the caller's */
	struct str name;         /* of the user */
	struct str session;
	enum lookup result; /* of password_check() */
	struct err err;
};

/* Threads are started when logins wait. */
MUST_USE int logins_open(struct logins **logins_out, struct err *err);
/* What waits is forgotten; what is under way is waited for. */
void logins_close(struct logins **logins);

/* Readable while there are results. */
int logins_fd(const struct logins *logins);

/* Copies all of it.  -1: too many wait, or there can be no thread. */
MUST_USE int logins_add(struct logins *logins, const struct login *login,
	struct str stored, struct str given, struct err *err);

/* The next result; its texts until the next call.  NULL: there is none. */
const struct login *logins_take(struct logins *logins);

#endif
