/* listen - the sockets that clients connect to
 *
 * They belong to master and outlive the processes that accept from them, so that
 * no connection is refused while those are replaced.  A reload is done in two
 * steps: listen_open() with the set in use opens what is new and shares what
 * stays; then either listen_replace() closes what is gone, or listen_abandon()
 * goes back.  Blocks only for the system's user database.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "conf/settings.h"
#include "server/passed.h"

enum { LISTEN_BACKLOG = 4096 }; /* the kernel's own limit may be lower */

struct listener {
	int fd; /* close-on-exec, does not block */
	bool is_inet;
	const char *name; /* "/run/doorstep/lmtp", "127.0.0.1:24", "[::1]:24" */
	enum conf_listener_ssl ssl;
	bool haproxy;
	bool is_policy; /* of `service quota-status`: policy's, else the front's */
	/* Of a Unix socket: */
	dev_t device;
	ino_t inode;
	uid_t *peers; /* who may connect; none: all */
	size_t peer_count;
	bool is_trusted; /* who connects there */
	bool is_passed; /* the service manager's: its file, mode and owner stay */
	unsigned mode;
	uid_t uid;
	gid_t gid;
};

struct listeners {
	struct arena *arena;
	struct listener *items;
	size_t count;
};

/* What `service lmtp { }` asks for; without a listener there, all sockets that were
 * `passed` (NULL: none), and without those "lmtp" in base_dir with mode 0666.  A
 * passed one is taken where it has the listener's address, or its name.
 * Then those of `service quota-status { }`.  `old` is the set in use, NULL at the start.  Says in the log
 * what an admin should think about.  -1: 4.3.5 with the listener, what is wrong
 * with it and what to do; nothing has changed then. */
MUST_USE int listen_open(const struct settings *settings,
	const struct listeners *old, struct passed *passed,
	struct listeners **listeners_out, struct err *err);

/* `now` is in use: gives what stays its new mode and owner, closes and removes
 * what is gone. */
void listen_replace(struct listeners **old, const struct listeners *now);

/* `fresh` will not be in use: closes it, and removes what `old` has not.  With
 * NULL, at the end of the server, it removes all. */
void listen_abandon(struct listeners **fresh, const struct listeners *old);

#endif
