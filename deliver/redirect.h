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

/* Whether this user's redirect has sent this very message before. */
bool redirect_is_loop(const struct job *job, const struct delivery *delivery);

/* Hands over the redirects of the plan, all addresses at once: one that is always
 * refused must not give the others a copy at every retry.  On an error the
 * delivery is to be tried again. */
MUST_USE int redirect_hand_over(
	struct job *job, struct delivery *delivery, struct err *err);

#endif
