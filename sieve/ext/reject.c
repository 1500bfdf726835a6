/* reject - refusing a message: reject, ereject (RFC 5429)
 *
 * How the refusal reaches the sender is the delivery's to choose
 * (deliver/reject.h); here both are an action with a reason.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

static enum sieve_status
refuse(struct run *run, const struct call *call, bool by_protocol)
{
	struct pending_action pending = {
		.action = {.kind = SIEVE_REJECT,
			.reject = {.by_protocol = by_protocol}},
		.cancels_keep = true,
	};
	struct str reason;

	if (run_text(run, call->arguments[0].texts, &reason) != SIEVE_OK ||
		run_reserve(run, reason.len) != SIEVE_OK)
		return SIEVE_FAILED;
	pending.action.reject.reason = arena_copy(run->result->arena, reason);
	return run_add_action(run, call, &pending);
}

/* RFC 5429 2.2 */
static enum sieve_status
act_reject(struct run *run, const struct call *call)
{
	return refuse(run, call, false);
}

const struct command_ops command_reject = {.act = act_reject};

/* RFC 5429 2.1 */
static enum sieve_status
act_ereject(struct run *run, const struct call *call)
{
	return refuse(run, call, true);
}

const struct command_ops command_ereject = {.act = act_ereject};
