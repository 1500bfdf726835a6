/* script - which scripts judge a message, and what they want together
 *
 * sieve_before... -> the user's own, or sieve_default -> sieve_after...
 * The next one runs only while keep is in effect; a keep in all but the last
 * means "go on".  A script in error ends the sequence with a keep: one line in
 * the admin's log, the details in the user's log.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DELIVER_SCRIPT_H
#define DELIVER_SCRIPT_H

#include "base/attributes.h"
#include "base/err.h"
#include "deliver/deliver.h"
#include "deliver/scriptcache.h"

/* The user's own script.  LOOKUP_NONE: a delivery goes without; *path_out says
 * where it has looked, NULL when there is no place to look at. */
enum lookup script_find_personal(const struct job *job,
	const struct delivery *delivery, const char **path_out,
	struct err *err);

/* Where the scripts are that others include (RFC 6609): folders need not be
 * there. */
MUST_USE int script_find_folders(const struct job *job,
	const struct delivery *delivery, struct script_folders *folders_out,
	struct err *err);

/* Fills delivery->work->script.  -1 only for trouble of our own (a script that
 * cannot be read, a folder that cannot be looked at): temporary. */
MUST_USE int script_evaluate(
	struct job *job, struct delivery *delivery, struct err *err);

#endif
