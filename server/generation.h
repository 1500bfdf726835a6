/* generation - a configuration with its front, lookup, mailer and workers
 *
 *   STARTING --READY of front and lookup--> RUNNING --drain--> DRAINING --> ended
 *
 * A reload makes a new generation; the old one ends when its front has.  State and
 * the listening sockets are its host's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SERVER_GENERATION_H
#define SERVER_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "conf/conf.h"
#include "server/concurrency.h"
#include "server/control.h"
#include "server/listen.h"
#include "server/pool.h"
#include "server/process.h"
#include "server/proxywire.h"
#include "server/run_as.h"
#include "server/ticket.h"
#include "server/waits.h"
#include "server/wishes.h"

enum {
	/* A generation that is not ready by then has failed. */
	GENERATION_START_MS = 30 * 1000,
	/* A worker that is so late behind its job's deadline is killed. */
	GENERATION_OVERDUE_MS = 30 * 1000,
	/* Tickets of one START. */
	GENERATION_START_TICKETS_MAX = 100000
};

enum generation_state {
	GENERATION_STARTING,
	GENERATION_RUNNING,
	GENERATION_DRAINING,
	GENERATION_ENDED
};

struct generation;

/* What a generation is part of. */
struct generation_host {
	struct processes *processes;
	const struct run_as *run_as;
	bool is_single; /* --stdio */
	int input, output;
	bool has_no_memory; /* of deliveries: workers do without */
	const char *state;  /* path of its socket */
	const char *mailer; /* of the mailers' */
	int mailer_listener;
	const struct wishes *wishes; /* for each new proxy */

	void (*ready)(
		struct generation_host *host, struct generation *generation);
	/* A channel to state is wanted for this front. */
	void (*front_started)(
		struct generation_host *host, struct generation *generation);
	/* The same for this mailer. */
	void (*mailer_started)(
		struct generation_host *host, struct generation *generation);
	/* No process is left.  The host may close the generation in a later
	 * round. */
	void (*ended)(
		struct generation_host *host, struct generation *generation);
};

/* A child that is started again. */
struct keeper {
	struct generation *generation;
	struct process process;
	struct loop_timer timer;
	unsigned failures;
};

struct generation {
	struct generation_host *host;
	enum generation_state state;
	bool has_failed; /* it ended before it was ready */
	bool is_killed;
	bool is_stopping; /* the server ends, or this one has to */
	uint32_t number;
	const struct settings *settings; /* not ours */
	const struct listeners *listeners;
	const struct conf_service *service; /* lmtp; NULL: defaults */
	int certificates;                   /* for the front; -1: no TLS */
	int config_fds[WIRE_KINDS];
	struct keeper front, lookup, mailer;
	struct keeper policy; /* only where it has listeners */
	struct keeper proxy;  /* only with lmtp_proxy */
	char *proxy_status;   /* what it said last; NULL: nothing */
	struct loop_timer start_timer;

	/* RCPT */
	uint64_t front_number;  /* which of its fronts is the one now */
	uint64_t policy_number; /* the same */
	uint64_t last_question;
	struct list questions; /* lookup's, in order */
	struct loop_timer lookup_timer;
	struct ticket_table tickets;
	struct concurrency concurrency; /* of the tickets */

	/* jobs */
	struct pool pool;
	struct pool_group *home; /* the only identity there can be, or NULL */
	struct pool_group *kept; /* has process_min_avail workers, or NULL */
	struct loop_timer pool_timer;
	struct waits waits;
	struct work **works; /* by the front's number; those in line */
	struct list all_works;
	size_t work_buckets, work_count;
	struct list workers, runners;
	uint32_t last_worker;
	bool is_pumping;

	uint64_t recipients, jobs; /* counters */
};

/* Starts front and lookup.  `settings` and `listeners` stay the caller's and
 * outlive it. */
MUST_USE int generation_open(struct generation_host *host, uint32_t number,
	const struct settings *settings, const struct listeners *listeners,
	struct generation **generation_out, struct err *err);
/* Only when it has ended. */
void generation_close(struct generation **generation);

/* Nothing new; then the end.  `is_stop`: sessions without a transaction end at
 * once. */
void generation_drain(struct generation *generation, bool is_stop);
/* The host's socket for mailers is another one now. */
void generation_send_mailer_socket(struct generation *generation);
void generation_kill(struct generation *generation);
/* What the proxy says of its backends; NULL: nothing. */
const char *generation_proxy_status(const struct generation *generation);
/* To its proxy, if it has one. */
void generation_send_wish(
	struct generation *generation, struct wire_proxy_wish *wish);

/* Sends BOOT with its kind and our logs; for the host's own children, too. */
void generation_boot(struct process *process, const struct wire_boot *boot);
/* The settings of a kind as a sealed file. */
MUST_USE int generation_config(const struct settings *settings,
	enum wire_kind kind, int *fd_out, struct err *err);

/* Processes for `doorstep status`; lives in the arena. */
struct process_list {
	struct arena *arena;
	struct control_process *items;
	size_t count, size;
};
void generation_list(
	const struct generation *generation, struct process_list *list);
void process_list_add(struct process_list *list, const struct process *process,
	uint32_t generation, const char *state, uint64_t jobs);

#endif
