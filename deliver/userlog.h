/* userlog - what went wrong with a user's own script, where the user can read it
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_USERLOG_H
#define DELIVER_USERLOG_H

#include "sieve/sieve.h"
#include "deliver/deliver.h"

enum userlog_times {
	USERLOG_EACH_TIME, /* depends on the message */
	USERLOG_ONCE       /* the same until the script changes */
};

/* After so long the same is told again. */
enum { USERLOG_AGAIN_S = 24 * 60 * 60 };

/* Adds the problems to sieve_user_log, or to SCRIPT.log where that is not set.
 * A log above 10 KiB is first moved to LOG.0.  ONCE writes nothing to a SCRIPT.log
 * that is younger than the script.  Returns the log's path, or NULL when it could
 * not be written (which never stops a delivery). */
const char *userlog_write(const struct job *job,
	const struct delivery *delivery, const char *script,
	enum userlog_times times, const struct sieve_report *report);

#endif
