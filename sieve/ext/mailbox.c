/* mailbox - mailboxexists and fileinto :create (RFC 5490 3)
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/mailboxname.h"
#include "sieve/registry.h"

#include "base/banned.h"

static void
check_mailboxexists(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];
	size_t i;

	for (i = 0; i < names->count; i++)
		mailboxname_check(checker, &names->texts[i]);
}

/* RFC 5490 3.1: all of them have to exist. */
static enum sieve_status
test_mailboxexists(struct run *run, const struct call *call, bool *answer_out)
{
	const struct argument *names = &call->arguments[0];
	const struct str *values;
	enum lookup found = LOOKUP_FOUND;
	size_t i;

	if (run_texts(run, names, &values) != SIEVE_OK ||
		run_charge(run, names->count) != SIEVE_OK)
		return SIEVE_FAILED;
	for (i = 0; i < names->count && found == LOOKUP_FOUND; i++)
		found = run->host->ops->mailbox_exists(
			run->host, values[i], run->err);
	if (found == LOOKUP_ERROR)
		return SIEVE_TEMPORARY;
	*answer_out = found == LOOKUP_FOUND;
	run_trace_test(
		run, call, i > 0 ? values[i - 1] : STR_EMPTY, *answer_out);
	return SIEVE_OK;
}

const struct command_ops command_mailboxexists = {
	.check = check_mailboxexists,
	.test = test_mailboxexists,
};

static enum sieve_status
apply_create(struct run *run UNUSED, const struct tag_use *use UNUSED,
	struct pending_action *pending)
{
	pending->action.fileinto.create = true;
	return SIEVE_OK;
}

const struct tag_ops tag_create = {.apply = apply_create};
