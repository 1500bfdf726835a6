/* report - the log lines of a delivery, in Dovecot's words
 *
 *   msgid=<1@example.org>: saved mail to INBOX
 *   sieve: msgid=<1@example.org>: stored mail into mailbox 'Lists'
 *
 * The form is deliver_log_format; empty means no such lines.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_REPORT_H
#define DELIVER_REPORT_H

#include "base/attributes.h"
#include "deliver/deliver.h"
#include "deliver/plan.h"

/* Sets the prefix of all lines that follow: mail_log_prefix. */
void report_begin(const struct job *job, const struct delivery *delivery);

/* One line; `copy` gives the sizes and may be NULL. */
void report_line(const struct job *job, const struct delivery *delivery,
	const struct plan_copy *copy, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* The line of a copy that was filed. */
void report_saved(const struct job *job, const struct delivery *delivery,
	const struct plan_copy *copy);

/* A whole delivery that failed, or that had no copy. */
void report_outcome(const struct job *job, const struct delivery *delivery);

/* There is no room for it: "save failed to INBOX: Quota exceeded ..." */
void report_full(const struct job *job, const struct delivery *delivery,
	const struct err *why);

#endif
