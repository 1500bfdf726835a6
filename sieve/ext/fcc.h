/* fcc - a copy of what an action sends (RFC 8580)
 *
 * The action keeps it where fileinto keeps what it files, so that :create, :flags,
 * :specialuse and :mailboxid apply to both in the same way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIEVE_EXT_FCC_H
#define SIEVE_EXT_FCC_H

#include "base/attributes.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"

/* Errors: a name that no mailbox can have; one of those tags without :fcc. */
void fcc_check(struct checker *checker, const struct ast_command *node);

/* To be called before run_add_action(). */
MUST_USE enum sieve_status fcc_read(
	struct run *run, const struct call *call, struct sieve_action *action);

#endif
