/* child - what every process but master begins with
 *
 * A child is this very program again, with its uid already changed, the channel to
 * master as descriptor CHILD_MASTER_FD, and the name of its kind as the only
 * argument.  It reads BOOT, loads the settings of its kind and opens the log; then
 * it is what it is for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_CHILD_H
#define SERVER_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "ipc/channel.h"
#include "conf/conf.h"
#include "server/wire.h"

enum { CHILD_MASTER_FD = 3 };

struct child {
	struct arena *arena; /* lives as long as the process */
	enum wire_kind kind;
	struct wire_boot boot;
	const struct settings *settings;
	struct channel master;
	bool is_real; /* a process of the server, which confines itself */
	const char *confinement; /* by what; NULL: nothing */
};

/* "--child=front" ...: the word of each kind, in the command line and in logs. */
const char *child_kind_name(enum wire_kind kind);
enum lookup child_kind_find(const char *name, enum wire_kind *kind_out);

/* Waits for BOOT; -1: master is gone or what it sent is wrong (logged). */
MUST_USE int child_begin(struct child *child, enum wire_kind kind);

/* LOGS; false when it is broken. */
MUST_USE bool child_take_logs(struct frame *frame);

/* The rest of a process' life; result: its exit status.  The front's is in lmtp/,
 * so whoever has main() knows them all. */
int lookup_main(struct child *child);
int state_main(struct child *child);
int worker_main(struct child *child);
int runner_main(struct child *child);
int mailer_main(struct child *child);

#endif
