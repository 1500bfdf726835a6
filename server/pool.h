/* pool - which worker does which job
 *
 * Workers of one generation, by identity (uid, gid, groups, the spool's group): a
 * worker serves one
 * identity, a job is for one.  The pool starts and stops nothing; it keeps the
 * books and tells its owner what to do next:
 *
 *   event                          -> pool_next() until it is POOL_NOTHING
 *   pool_add_start(), pool_idle(),    ASSIGN  give these starts to this worker
 *   pool_worker_gone() ...            SPAWN   make a worker of this group
 *                                     END     tell this idle worker to end
 *
 * A few workers that take several starts each time get more done than many that take
 * one: while `brisk_most` workers of a group are at work and come back soon, further
 * starts wait for the first that does.  One that stays away for `patience_ms` is
 * not waited for: as many others may work, so that nobody waits behind a mailbox
 * that hangs.
 *
 * First come first served within a group.  When `process_limit` is reached, idle
 * workers of other groups make room, the one that was idle longest first; and a
 * group that waits without any worker gets the next one that becomes free, so
 * that a busy user cannot keep others out.  All steps take constant time for each
 * start.
 *
 * Pure but for asking for memory; times are given by the caller, in ms.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/privilege.h"
#include "base/str.h"

enum {
	/* Workers that are started at the same time: while they load, others
	 * come back from their jobs. */
	POOL_STARTING_MAX = 4,
	/* How soon a worker is soon. */
	POOL_PATIENCE_MS = 50,
	/* Jobs go one by one for that long when a worker died with several:
	 * should one of them be the reason, the others get through. */
	POOL_ALONE_MS = 10 * 60 * 1000,
	POOL_TOGETHER_MAX = 64
};

enum pool_place {
	POOL_QUIET,    /* nothing to do for it */
	POOL_READY,    /* a start waits, a worker is idle */
	POOL_STARVING, /* starts wait, and it has no worker at all */
	POOL_HUNGRY,   /* it wants a further worker */
	POOL_PAUSED    /* it wants one and may not have it yet */
};

/* The recipients of one identity. */
struct pool_group {
	uint32_t number;
	struct identity identity;
	enum pool_place place;
	struct list_link in_place;
	struct pool_group *next; /* in its bucket */
	size_t references;       /* tickets and such; pool_group_take() */
	struct list line;        /* pool_start */
	size_t line_len;
	struct list idle; /* pool_worker, used last first */
	size_t idle_count;
	size_t workers; /* all but those that end */
	size_t starting;
	size_t brisk; /* busy, and not for long */
	uint64_t alone_until_ms;
	size_t least; /* kept ready */
	unsigned failures;
	uint64_t pause_until_ms;
};

enum pool_worker_state { POOL_STARTING, POOL_IDLE, POOL_BUSY, POOL_ENDING };

/* Embedded in the owner's. */
struct pool_worker {
	struct pool_group *group;
	enum pool_worker_state state;
	uint64_t jobs;
	uint64_t idle_since_ms;
	uint64_t busy_since_ms;
	bool is_brisk;
	struct list_link in_brisk; /* of all groups, longest first */
	struct list_link in_group; /* idle */
	struct list_link in_idle;  /* idle, of all groups, longest first */
};

/* Embedded in the owner's: a job that wants a worker. */
struct pool_start {
	struct pool_group *group; /* NULL: not in line */
	struct list_link in_line;
	bool is_alone; /* no other one goes with it */
};

struct pool {
	size_t limit;      /* workers of all groups */
	size_t least;      /* kept when they are idle */
	size_t together;   /* starts that a worker gets at a time */
	size_t brisk_most; /* of a group */
	uint64_t patience_ms;
	uint64_t service_count; /* jobs of a worker; 0 = no limit */
	uint64_t idle_kill_ms;
	size_t workers; /* processes, with those that end */
	size_t starting, ending;
	struct list ready, starving, hungry, paused; /* pool_group */
	struct list idle; /* pool_worker, longest first */
	struct list brisk;
	size_t waiting; /* starts in all lines */
	struct pool_group **buckets;
	size_t bucket_count, group_count;
	uint32_t last_number;
};

void pool_init(struct pool *pool);
/* All workers and starts are gone by then. */
void pool_clear(struct pool *pool);

/* The group of an identity, made when there is none; one reference more. */
struct pool_group *pool_group_take(
	struct pool *pool, const struct identity *identity);
/* A group that nobody refers to and that has neither worker nor start ends. */
void pool_group_drop(struct pool *pool, struct pool_group *group);
/* Workers of this group that are kept, whether or not there is work. */
void pool_group_keep(struct pool *pool, struct pool_group *group, size_t least);

void pool_start_add(
	struct pool *pool, struct pool_group *group, struct pool_start *start);
/* Takes it out of the line. */
void pool_start_remove(struct pool *pool, struct pool_start *start);

/* A new process for the group of POOL_SPAWN. */
void pool_worker_add(struct pool *pool, struct pool_group *group,
	struct pool_worker *worker);
/* It could not even be started. */
void pool_worker_failed(
	struct pool *pool, struct pool_group *group, uint64_t now_ms);
/* It is ready, or done with a job. */
void pool_worker_idle(
	struct pool *pool, struct pool_worker *worker, uint64_t now_ms);
/* An idle one gets something to do that is no job. */
void pool_worker_busy(
	struct pool *pool, struct pool_worker *worker, uint64_t now_ms);
/* It gets no more work. */
void pool_worker_end(struct pool *pool, struct pool_worker *worker);
/* The process has ended. */
void pool_worker_gone(
	struct pool *pool, struct pool_worker *worker, uint64_t now_ms);
/* It has died with several jobs. */
void pool_group_alone(struct pool_group *group, uint64_t now_ms);

/* An idle worker of the group, or NULL. */
struct pool_worker *pool_idle_worker(const struct pool_group *group);

enum pool_action { POOL_NOTHING, POOL_ASSIGN, POOL_SPAWN, POOL_END };
struct pool_step {
	enum pool_action action;
	struct pool_group *group;   /* SPAWN, ASSIGN */
	struct pool_worker *worker; /* ASSIGN: busy now; END: ending now */
	/* ASSIGN: out of the line */
	struct pool_start *starts[POOL_TOGETHER_MAX];
	size_t start_count;
};
/* What to do next; with POOL_NOTHING *wake_ms_out is when to ask again even if
 * nothing happens (0: never). */
enum pool_action pool_next(struct pool *pool, uint64_t now_ms,
	struct pool_step *step_out, uint64_t *wake_ms_out);

#endif
