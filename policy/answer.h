/* answer - which action follows from what is known of a recipient
 *
 * Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef POLICY_ANSWER_H
#define POLICY_ANSWER_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/settings.h"

/* Adds "action=...\n\n" as quota_status_* say it. */
void policy_answer(const struct settings *settings, const struct err *err,
	struct buf *text);

/* The same for what is no question of ours. */
void policy_pass(struct buf *text);

#endif
