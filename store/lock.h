/* lock - keep other programs away from a file that several write
 *
 *   dotlock      FILE.lock, made so that only one can make it
 *   dotlock_try  the same, but done without where the folder may not be written
 *   fcntl        POSIX record lock of the whole file; lockf is the same here
 *   flock        BSD lock
 *
 * Several are taken in the configured order.  One that another program holds is
 * waited for with none held: all are given back, and after a short pause all are
 * tried again.  So a program that takes them in another order cannot bring both
 * of us to a halt.
 *
 * FILE.lock holds "PID:HOST".  It is taken for forgotten when neither it nor the
 * file it locks has changed for `stale_ms`, or for LOCK_DEAD_MS when it names a
 * process of this host that is not there.  It is removed under a lock of the
 * breakers among themselves, and only if it still is the one that was judged.
 * Clocks of the host and the file server have to agree as well as for mail in
 * general.
 *
 * fcntl locks are the process's, not the descriptor's: while one is held, no other
 * descriptor of that file may be closed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/err.h"
#include "store/store.h"

enum { LOCK_DEAD_MS = 10 * 1000 };

/* What store_lock_settings has where it says 0. */
enum { LOCK_TIMEOUT_MS = 5 * 60 * 1000, LOCK_STALE_MS = 2 * 60 * 1000 };

struct lock {
	struct store_lock_settings settings;
	const char *path; /* of the file; borrowed */
	int fd;           /* of the file; borrowed */
	unsigned held;    /* the first ones of settings.kinds */
	char dot_path[4096];
	bool has_dot;
	dev_t dot_device;
	ino_t dot_inode;
};

/* Waits until all are held, but not past `deadline_ms` (clock_monotonic_ms(); 0 =
 * none).  `path` and `fd` are those of one file, open for writing, and stay so
 * until lock_close(); for dotlocks alone `fd` may be that of the file's folder.
 * Errors: 4.2.0 when the time is over, with who holds it; 4.3.0 for a dotlock
 * that cannot be made, with which folder refuses whom. */
MUST_USE int lock_open(struct lock *lock,
	const struct store_lock_settings *settings, uint64_t deadline_ms,
	const char *path, int fd, struct err *err);

void lock_close(struct lock *lock);

#endif
