/* plan - what a delivery will do, in order, before it does any of it
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_PLAN_H
#define DELIVER_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "sieve/sieve.h"

struct delivery;
struct job;
struct content;
struct outbound_pending;
struct store_copy;
struct work_bytes;

struct plan_copy {
	struct str folder;
	struct str wanted;          /* the folder that was asked for */
	bool is_default;            /* INBOX, -m or the detail folder */
	bool create;                /* fileinto :create */
	bool is_dropped;            /* PLAN_COVERED */
	unsigned store_flags;       /* enum store_flags */
	const struct str *keywords; /* none twice */
	size_t keyword_count;
	const struct sieve_action *action; /* NULL: the implicit keep */
	struct work_bytes *bytes;          /* what it holds */
	struct store_copy *copy;           /* from execute */
	/* Or what a delivery that broke off has left there. */
	const char *kept;
	bool is_filed;    /* from execute, as the outcome is final */
	const char *file; /* its name then, in a Maildir; else NULL */
};

struct plan_redirect {
	struct str address;
	const struct content *content; /* NULL: as it came */
	const struct sieve_action *action;
	struct sieve_mark
		place;       /* that it has in this hour; no seconds: none */
	bool is_handed_over; /* by this try */
};

/* One that was not made, and why. */
struct plan_refrained {
	struct str address;
	const char *why;
	const struct content *content; /* NULL: as it came */
	bool is_late; /* found out when it was to be handed over */
};

/* Redirects that go out together: those of one content with the same wishes. */
struct plan_handover {
	size_t first, count; /* in plan->redirects */
	struct outbound_pending *pending;
};

struct plan_pipe {
	const struct content *content; /* NULL: as it came */
	const struct sieve_action *action;
	bool has_failed; /* from execute */
};

struct plan {
	struct plan_copy *copies;
	size_t copy_count, copy_size;
	struct plan_redirect *redirects;
	size_t redirect_count, redirect_size;
	struct str
		*done_redirects; /* addresses that an earlier try has served */
	size_t done_count;
	struct plan_refrained *refrained;
	size_t refrained_count;
	struct plan_handover *handovers; /* while they are under way */
	size_t handover_count;
	struct plan_pipe *pipes;
	size_t pipe_count, pipe_size;
	const struct sieve_action *refusal; /* NULL: the message is taken */
	const char *refusal_status;         /* RFC 3463; NULL: 5.7.1 */
};

/* Turns the script's actions into delivery->work->plan.  Several actions for one
 * folder become one copy (RFC 5228 2.10.3) with the flags of the last of them
 * (RFC 5232 3); a redirect that would loop is dropped, and the message kept instead
 * when nothing else would hold it. */
void plan_build(struct job *job, struct delivery *delivery);

/* A pipe has failed after all: a copy for the default mailbox, if none of the
 * plan's is there.  False when there is one; else it is the last one. */
bool plan_keep(struct job *job, struct delivery *delivery,
	const struct plan_pipe *pipe);

/* Of a copy that has none so far. */
void plan_set_flags(struct job *job, struct plan_copy *copy,
	const struct sieve_flags *flags);

/* Puts the message (NULL: as it came) into the default mailbox where nothing else
 * of the plan would hold it; false: something does. */
bool plan_hold(struct job *job, struct delivery *delivery,
	const struct content *content);

/* The folder of copy `index` is missing or impossible: the default mailbox takes
 * its place, and INBOX that of the default mailbox. */
enum plan_fallback {
	PLAN_REPLACED, /* the copy has another folder now */
	PLAN_COVERED, /* another copy is in that folder anyway; this one is out */
	PLAN_HOPELESS /* it was INBOX itself */
};
enum plan_fallback plan_fall_back(struct delivery *delivery, size_t index);

#endif
