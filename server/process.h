/* process - a child as master sees it
 *
 * Its channel and its life: what it sends is handed to `received`, one frame at a
 * time; `ended` is called once, when it has been waited for and everything that it
 * had sent was read.  A child that breaks the rules is killed, so that there is
 * one way to end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/loop.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "server/spawn.h"
#include "server/wire.h"

enum { PROCESS_BUCKETS = 256 };

struct process {
	struct processes *all; /* NULL: not running */
	enum wire_kind kind;
	pid_t pid;
	uint64_t started_ms;
	uint64_t since_s; /* the same by the wall clock */
	uint32_t uid;     /* as whom it runs */
	bool is_ready;    /* READY came */
	bool is_draining; /* DRAIN was sent */
	bool is_stopping; /* with is_stop */
	bool is_killed;
	int status;         /* of waitpid(), in `ended` */
	unsigned pings;     /* since it answered one */
	uint64_t pinged_ms; /* when the first of them was sent */
	struct channel channel;
	struct loop_watch watch;
	struct process *next; /* in its bucket */
	struct arena *arena;  /* of the counters; NULL: none came */
	struct wire_counters counters;
	char confinement[160]; /* READY's; "" = nothing */

	/* The owner's. */
	uint64_t answer_ms; /* a PING unanswered for so long is a process that
	                     * hangs, and is killed; 0: it is not asked */
	void (*received)(struct process *process, struct frame *frame);
	/* The queue is empty again. */
	void (*sent)(struct process *process);
	/* The last call; the owner may free the process in it. */
	void (*ended)(struct process *process);
};

enum { PROCESS_TOTALS_MAX = 256 };

/* What those of a kind that have ended had counted. */
struct process_totals {
	uint64_t deaths; /* ends that nobody had wished */
	struct wire_counter counters[PROCESS_TOTALS_MAX];
	size_t count;
};

/* All children. */
struct processes {
	struct loop *loop;
	const struct spawner *spawner;
	struct arena *arena; /* of a frame that is being looked at */
	struct process *by_pid[PROCESS_BUCKETS];
	size_t count;
	struct loop_timer ping_timer;
	uint64_t pinged_ms; /* the last round of pings */
	struct process_totals totals[WIRE_KINDS];
	struct arena *names; /* of their counters */
};

/* `process` has its owner's calls, and runs then. */
MUST_USE int process_start(struct processes *all, struct process *process,
	const struct spawn_order *order, struct err *err);

static inline bool
process_is_running(const struct process *process)
{
	return process->all != NULL;
}

/* The frame is closed.  Does nothing when the process has ended. */
void process_send(struct process *process, struct frame *frame);
/* A frame without fields. */
void process_tell(struct process *process, enum wire_type type);
/* DRAIN; a further one only when it has become a stop. */
void process_drain(struct process *process, bool is_stop);

/* How long to wait before one that has ended, or could not even be started, is
 * started again; `failures` is restart_pause_ms()'s. */
uint64_t process_restart_ms(const struct process *process, unsigned *failures);

void process_kill(struct process *process, const char *why);

/* Says in the log what the process did wrong, and kills it. */
void process_breach(struct process *process, const struct frame *frame);

/* Hands the log files that are open now to all children. */
void processes_send_logs(struct processes *all);

/* After SIGCHLD: waits for all that have ended, orphans too. */
void processes_reap(struct processes *all);

/* At the very end: lets go of all that still run, without a call of `ended`. */
void processes_forget(struct processes *all);

#endif
