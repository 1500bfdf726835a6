/* pipe - the message for a program's standard input (vnd.dovecot.pipe)
 *
 * Only the plan runs it: a program that cannot take the message is the same as a
 * script in error, and the message is kept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/ext/external.h"
#include "sieve/registry.h"

#include "base/banned.h"

static enum sieve_status
act_pipe(struct run *run, const struct call *call)
{
	struct pending_action pending = {
		.action = {.kind = SIEVE_PIPE}, .cancels_keep = true};
	struct sieve_action *action = &pending.action;

	if (external_charge(run) != SIEVE_OK ||
		external_read(run, call, &action->pipe.program,
			&action->pipe.arguments,
			&action->pipe.argument_count) != SIEVE_OK)
		return SIEVE_FAILED;
	return run_add_action(run, call, &pending);
}

const struct command_ops command_pipe = {
	.check = external_check,
	.act = act_pipe,
};

static enum sieve_status
apply_try(struct run *run UNUSED, const struct tag_use *use UNUSED,
	struct pending_action *pending)
{
	pending->action.pipe.is_try = true;
	return SIEVE_OK;
}

const struct tag_ops tag_try = {.apply = apply_try};
