/* redirect - send the message on, by the script's wish (RFC 5228 4.2)
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_REDIRECT_H
#define DELIVER_REDIRECT_H

#include "base/attributes.h"
#include "base/err.h"
#include "deliver/deliver.h"

/* Put into what is sent, with the user's name: seen again in a later delivery,
 * the mail went in a circle. */
extern const struct str redirect_mark;

struct plan_redirect;

enum redirect_need {
	REDIRECT_WANTED,
	REDIRECT_DONE,    /* by an earlier try of this delivery, which failed */
	REDIRECT_UNWANTED /* *why_out says why */
};

/* Is the redirect to be made?  Not when this very message comes back from one, or
 * was redirected to the address before (which is remembered with the delivery's
 * other marks), or the user has made too many. */
enum redirect_need redirect_need(struct job *job, struct delivery *delivery,
	const struct plan_redirect *redirect, const char **why_out);

/* When the delivery has come to its end, and its marks are kept.  If it failed: what was handed over all
 * the same is remembered, so that the retry does not send it once more. */
void redirect_remember(struct job *job, const struct delivery *delivery);

/* Hands over the redirects of the plan, all addresses at once: one that is always
 * refused must not give the others a copy at every retry.  In two steps, so that
 * those of other deliveries are under way meanwhile.  The first one cannot fail.
 *
 * On an error the delivery is to be tried again.  What is refused for good is told
 * in the log; *is_kept_out: the plan has a copy more, because nothing else would
 * hold the message. */
MUST_USE int redirect_begin(
	struct job *job, struct delivery *delivery, struct err *err);
MUST_USE int redirect_finish(struct job *job, struct delivery *delivery,
	bool *is_kept_out, struct err *err);

#endif
