/* mailboxid - mailboxidexists and fileinto :mailboxid (RFC 9042)
 *
 * The id of a mailbox (RFC 8474) stays when it gets another name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* What looking one up costs, in steps: the host may have to read a file of each
 * mailbox. */
enum { LOOKUP_STEPS = 5000 };

static enum sieve_status
find_id(struct run *run, struct str id, struct str *name_out, bool *found_out)
{
	const struct sieve_host_ops *ops = run->host->ops;
	enum lookup found = LOOKUP_NONE;

	if (run_charge(run, LOOKUP_STEPS) != SIEVE_OK)
		return SIEVE_FAILED;
	if (ops->mailbox_by_id != NULL && id.len > 0)
		found = ops->mailbox_by_id(run->host, id, name_out, run->err);
	*found_out = found == LOOKUP_FOUND;
	return found == LOOKUP_ERROR ? SIEVE_TEMPORARY : SIEVE_OK;
}

/* RFC 9042 5: every one of them is a mailbox's. */
static enum sieve_status
test_mailboxidexists(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *ids = &call->arguments[0];
	const struct str *values;
	struct str name;
	bool is_found = true;
	enum sieve_status status = SIEVE_OK;
	size_t i;

	if (run_texts(run, ids, &values) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < ids->count && is_found && status == SIEVE_OK; i++)
		status = find_id(run, values[i], &name, &is_found);
	if (status != SIEVE_OK)
		return status;
	*answer_out = is_found;
	run_trace_test(
		run, call, i > 0 ? values[i - 1] : STR_EMPTY, *answer_out);
	return SIEVE_OK;
}

const struct command_ops command_mailboxidexists = {
	.test = test_mailboxidexists,
};

/* RFC 9042 4: where no mailbox has it the name of the fileinto counts. */
static enum sieve_status
apply_mailboxid(struct run *run, const struct tag_use *use,
	struct pending_action *pending)
{
	struct str id, name = STR("");
	bool is_found = false;
	enum sieve_status status = run_text(run, use->argument.texts, &id);

	if (status == SIEVE_OK)
		status = find_id(run, id, &name, &is_found);
	if (status == SIEVE_OK && is_found)
		pending->action.fileinto.mailbox =
			arena_copy(run->result->arena, name);
	return status;
}

const struct tag_ops tag_mailboxid = {.apply = apply_mailboxid};
