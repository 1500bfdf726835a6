/* external - what the commands that run programs have in common (RFC 6558 and
 * vnd.dovecot.pipe, filter, execute)
 *
 * Programs are the admin's: a script gives a name, and the host knows in which
 * folder it looks for it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_EXTERNAL_H
#define SIEVE_EXT_EXTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/host.h"

/* Name and arguments, as far as they are constant. */
void external_check(struct checker *checker, struct ast_command *node);

/* The same once they are known; both in the result's arena. */
MUST_USE enum sieve_status external_read(struct run *run,
	const struct call *call, struct str *name_out,
	const struct str **arguments_out, size_t *count_out);

/* Counts against sieve_max_programs. */
MUST_USE enum sieve_status external_charge(struct run *run);

/* Its input is the message as it is now. */
MUST_USE enum sieve_status external_give_message(
	struct run *run, struct sieve_external *external);

/* Runs it; its output is in the result's arena.  What the host says goes into the
 * trace and, as a note, into the report.  SIEVE_FAILED: a limit. */
MUST_USE enum sieve_status external_run(struct run *run,
	const struct call *call, struct sieve_external *external);

/* What a program that did not succeed means for the command: `answer_out` false
 * for a test.  An action that could not run its program at all fails. */
MUST_USE enum sieve_status external_end(struct run *run,
	const struct call *call, const struct sieve_external *external);

#endif
