/* seen - what earlier deliveries to this user have marked (RFC 7352)
 *
 *   seen_find()    while scripts run
 *   seen_keep()    when all is on disk: a mark of a delivery that failed would make
 *                  its retry a duplicate
 *
 * A process that dies between the two has delivered and marked nothing: the next
 * copy is no duplicate.  So it is with deliveries of the same at the same time, but
 * for those that deliver_jobs() was given together: there the later one is decided
 * again when the earlier one is done.  In doubt something comes twice; nothing is
 * lost.
 *
 * Marks are the server's (job->seen), or in the file SEEN_FILE in the user's home.
 * A memory in trouble is told of once for a job and not asked again: it has seen
 * nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_SEEN_H
#define DELIVER_SEEN_H

#include <stdbool.h>

#include "base/attributes.h"
#include "sieve/sieve.h"
#include "deliver/deliver.h"

#define SEEN_FILE ".doorstep-seen"

bool seen_find(const struct job *job, const struct delivery *delivery,
	const unsigned char key[SIEVE_MARK_KEY]);

/* What a mark of this delivery's user is in the memory. */
void seen_key(const struct delivery *delivery,
	const unsigned char mark[SIEVE_MARK_KEY], unsigned char key[SEEN_KEY]);

/* Of two jobs that came in together and are both decided: has the later one asked
 * for a mark that the earlier one will leave when it succeeds? */
bool seen_waits_for(const struct job *later, const struct job *earlier);

/* The marks of all deliveries that have come to a good end. */
void seen_keep(struct job *job);

/* Keeps a mark of this delivery at once, for what must not be done by two
 * deliveries that run at the same time.  NONE: somebody has kept it, and its time is
 * not over.  An error is for the caller to log. */
enum lookup seen_claim(const struct job *job, const struct delivery *delivery,
	const struct sieve_mark *mark, struct err *err) MUST_USE;

/* At once, whatever becomes of the delivery. */
void seen_keep_now(struct job *job, const struct delivery *delivery,
	const struct sieve_mark *marks, size_t count);

/* What they were kept for was not done, or is over. */
void seen_give_back(struct job *job, const struct delivery *delivery,
	const struct sieve_mark *marks, size_t count);

#endif
