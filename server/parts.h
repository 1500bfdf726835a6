/* parts - what the files of a generation call of each other
 *
 *   generation.c  front and lookup begin and end
 *   rcpt.c        from RCPT to RCPT_ANSWER
 *   login.c       from LOGIN to LOGGED_IN
 *   workers.c     from START to IDLE; the workers
 *   runners.c     who runs programs for them
 *   routes.c      who passes mail on to other hosts
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_PARTS_H
#define SERVER_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "server/generation.h"

/* A question about one recipient. */
struct question {
	struct list_link in_line;
	struct generation *generation;
	uint64_t number; /* ours */
	/* Who asks: the front, or policy, whose question is a mere one: no ticket,
	 * and no mail will follow here. */
	struct process *asker;
	bool is_mere;
	uint64_t request;      /* the asker's */
	uint64_t asker_number; /* which of those asked */
	uint64_t size;
	bool ignores_quota;
	char *session;            /* NULL: none */
	struct pool_group *group; /* while a worker is asked */
	char *name;
	struct str user; /* packed */
	bool withdraws;  /* nobody asks any more, and what was promised goes */
	unsigned deaths; /* of workers that were to withdraw it */
	struct question *next; /* of those whose promises a worker has */
};

void rcpt_ask(struct generation *generation, struct process *asker,
	struct frame *frame);
void rcpt_record(struct generation *generation, struct frame *frame);
void rcpt_release(struct generation *generation, struct frame *frame);
/* The worker's word, or why there is none; the question ends. */
void rcpt_checked(
	struct question *question, bool has_promised, const struct err *err);
/* It has gone while it was asked: it may have promised. */
void rcpt_unanswered(struct question *question, const struct err *err);
/* What a worker has promised goes back: no job has used it.  It ends in any case. */
void rcpt_withdraw(struct question *question);
/* A job has used it. */
void rcpt_forget(struct question *question);
/* All that wait are answered 451. */
void rcpt_lookup_gone(struct generation *generation, const char *why);
void rcpt_front_gone(struct generation *generation);
void rcpt_lookup_late(struct loop_timer *timer);

void login_ask(struct generation *generation, struct frame *frame);
void login_answer(struct generation *generation, struct frame *frame);

void workers_open(struct generation *generation);
void workers_close(struct generation *generation);
void workers_start(struct generation *generation, struct frame *frame);
void workers_cancel(struct generation *generation, struct frame *frame);
void workers_check(struct question *question);
/* A new front: gets a channel to every worker. */
void workers_link(struct generation *generation);
void workers_front_gone(struct generation *generation);
void workers_drain(struct generation *generation);
void workers_kill(struct generation *generation);
void workers_list(
	const struct generation *generation, struct process_list *list);
/* Starts and ends workers as the pool wants. */
void workers_pump(struct generation *generation);

/* RUNNER of a worker: `number` tells it from others. */
void runners_start(struct generation *generation, struct process *worker,
	uint32_t number, const struct identity *identity, struct frame *frame);
void runners_kill(struct generation *generation);
void runners_list(
	const struct generation *generation, struct process_list *list);

/* Starts the process; nothing where no mail is passed on. */
MUST_USE int routes_start(struct generation *generation, struct err *err);
bool routes_is_ready(const struct generation *generation);
/* A channel between front and proxy, when both run. */
void routes_link(struct generation *generation);
/* The answer to RCPT, for a recipient of another host. */
void routes_answer(struct question *question, const struct wire_record *record,
	struct wire_rcpt_answer *answer);
/* RESOLVED of lookup. */
void routes_resolved(struct generation *generation, struct frame *frame);
void routes_again(struct loop_timer *timer);

void generation_check_ready(struct generation *generation);
/* Could not be started: comes again later. */
void generation_keeper_failed(struct keeper *keeper);
/* Any but the front has ended. */
void generation_keeper_ended(struct keeper *keeper);
MUST_USE int generation_launch(struct generation *generation,
	struct process *process, const struct spawn_order *order,
	struct err *err);
/* After each end of a process. */
void generation_check_end(struct generation *generation);

/* "Temporary internal error", with a detail for the log. */
int parts_temporary(struct err *err, const char *status, const char *detail);

#endif
