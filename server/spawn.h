/* spawn - a child process: fork, uid change, and this very program again
 *
 * The program is opened once, when master starts, so that an upgrade of the file
 * changes nothing in a server that runs.  A child has descriptors 0, 1, 2 and
 * CHILD_MASTER_FD and no others, an environment of a few names, and its signals
 * as server/child.h wants them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_SPAWN_H
#define SERVER_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/privilege.h"
#include "server/wire.h"

enum {
	/* A child that could not be what it should has said why in the log. */
	SPAWN_EXIT_FAILED = 126
};

struct spawner {
	int program;              /* this program's file */
	char *const *environment; /* what children get */
};

/* Takes what children will need of the environment; lives in the arena. */
MUST_USE int spawner_open(
	struct arena *arena, struct spawner *spawner_out, struct err *err);
void spawner_close(struct spawner *spawner);

struct spawn_order {
	enum wire_kind kind;
	const struct identity *identity; /* NULL: as whom we run */
	uint64_t descriptors;            /* it may have; 0 = as we */
	uint64_t descriptors_least;      /* fewer are worth a warning */
	uint64_t memory;    /* bytes of address space; 0 = no limit */
	bool changes_root;  /* it will, and needs root's right to */
	bool gains_nothing; /* no file that it executes may give it rights */
};

/* On success the caller owns master's end of the channel. */
MUST_USE int spawn(const struct spawner *spawner,
	const struct spawn_order *order, pid_t *pid_out, int *channel_out,
	struct err *err);

/* Raises our own limit of descriptors as far as it goes. */
void spawn_raise_descriptors(void);

#endif
