/* notices - mail that tells of a delivery, and leaves when it is over
 *
 * Answers, notifications and reports are collected while a delivery is planned and
 * handed over when all jobs that were begun together have told their outcome
 * (job->settled): no client waits for them.  What goes wrong is logged, nothing
 * more.
 *
 * They are those of deliveries that came to a good end here and now: not of one
 * that failed, and not of one that an earlier delivery had done (RFC 1047).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_NOTICES_H
#define DELIVER_NOTICES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "mail/content.h"
#include "mail/letter.h"
#include "sieve/sieve.h"
#include "deliver/deliver.h"
#include "deliver/plan.h"

enum {
	/* For all of them together: the worker is needed for other mail, and an
	 * MTA waits for the LDA.  What is left when it is over is not sent. */
	NOTICES_TIME_MS = 60 * 1000
};

struct notice {
	const char *what;             /* for the log: "vacation response" */
	struct str sender;            /* empty: the null sender */
	bool is_answer;               /* nobody is to be told of its failure */
	const struct str *recipients; /* local@domain each */
	size_t count;
	const struct content *content;
	/* Not sent when an earlier delivery has kept this mark, or one that runs
	 * at the same time; kept only when it was sent.  NULL: always sent. */
	const struct sieve_mark *once;
	/* Where a copy goes when it was sent; NULL: nowhere. */
	const struct plan_copy *copy;
	bool also_when_refused; /* the message, by the script */
	bool only_when_saved;   /* else also for what was discarded */
};

/* A letter with a date, an id, and the job's message as its original. */
struct letter notices_letter(
	const struct job *job, const struct delivery *delivery);

/* Where a copy goes, as the action wants it; NULL: nowhere. */
const struct plan_copy *notices_copy(
	struct job *job, const struct sieve_action *action);

/* In the order in which they shall leave.  What the notice points to lives as long
 * as the job. */
void notices_add(struct job *job, struct delivery *delivery,
	const struct notice *notice);

/* Blocks, little longer than NOTICES_TIME_MS. */
void notices_hand_over(struct job *const *jobs, size_t count);

#endif
