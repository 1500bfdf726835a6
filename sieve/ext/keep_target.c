/* keep_target - vnd.cyrus.implicit_keep_target: another mailbox for the implicit
 * keep
 *
 *   implicit_keep_target [:create] [:specialuse <use> / :mailboxid <id>]
 *       <mailbox: string>
 *
 * The last one that is reached counts.  An explicit keep goes where it always
 * does, and so does the keep of a script that fails.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/arena.h"
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* RFC 8579 4, RFC 9042 4, as in fileinto: where no mailbox is like that the name
 * counts. */
static enum sieve_status
apply_target(struct run *run, const struct call *call, struct str *mailbox)
{
	const struct tag_use *use = call_tag(call, GROUP_TARGET);
	struct pending_action pending = {
		.action = {.kind = SIEVE_FILEINTO,
			.fileinto = {.mailbox = *mailbox}}};
	enum sieve_status status = SIEVE_OK;

	if (use != NULL)
		status = use->tag->ops->apply(run, use, &pending);
	*mailbox = pending.action.fileinto.mailbox;
	return status;
}

static enum sieve_status
act_keep_target(struct run *run, const struct call *call)
{
	struct arena *arena = run->result->arena;
	enum sieve_status status;
	struct str mailbox;

	if (run_text(run, call->arguments[0].texts, &mailbox) != SIEVE_OK ||
		run_reserve(run, mailbox.len) != SIEVE_OK)
		return SIEVE_FAILED;
	if (mailbox.len == 0)
		return run_fail(run, "implicit_keep_target: the mailbox's name "
				     "is empty");
	if (!utf8_is_valid(mailbox))
		return run_fail(run,
			"implicit_keep_target: invalid folder name %s: it is "
			"no UTF-8",
			report_quote(&run->reporter, mailbox));
	status = apply_target(run, call, &mailbox);
	if (status != SIEVE_OK)
		return status;
	run->keep_target = arena_copy(arena, mailbox);
	run->keep_target_create = call_tag(call, GROUP_CREATE) != NULL;
	run_trace_command(run, call, mailbox);
	return SIEVE_OK;
}

const struct command_ops command_implicit_keep_target = {
	.act = act_keep_target,
};
