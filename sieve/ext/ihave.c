/* ihave - is an extension there?, and error (RFC 5463)
 *
 * Answered while the script is compiled, so that what depends on the answer need
 * not mean anything where it is "no".
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* Bytes of a script's own message in the log. */
enum { LONGEST_MESSAGE = 1000 };

/* ---- ihave (RFC 5463 4) ---- */

static bool
is_available(const struct checker *checker, struct str name)
{
	enum extension_id id;

	if (!registry_find_extension(name, &id))
		return false;
	if (checker->is_required[id])
		return true;
	return !registry_extension(id)->ops->is_grammar &&
	       sieve_offers(checker->settings, name);
}

/* From here to the end of the script, as if they had been required, with what a
 * require brings along. */
static void
enable(struct checker *checker, struct str name)
{
	enum extension_id id;

	if (!registry_find_extension(name, &id))
		return;
	for (; !checker->is_required[id];
		id = registry_extension(id)->ops->brings)
		checker->is_required[id] = true;
}

static void
check_ihave(struct checker *checker, struct ast_command *node)
{
	const struct argument *names = &node->call->arguments[0];
	bool is_true = true;
	size_t i;

	for (i = 0; i < names->count; i++) {
		if (!text_is_constant(&names->texts[i])) {
			check_error(checker, names->texts[i].at,
				"a capability has to be a constant string, "
				"without variables");
			return;
		}
		if (!is_available(checker, names->texts[i].constant))
			is_true = false;
	}
	for (i = 0; i < names->count && is_true; i++)
		enable(checker, names->texts[i].constant);
	node->call->flag = is_true;
}

static enum truth
truth_of_ihave(const struct ast_command *node)
{
	return node->call->flag ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum sieve_status
test_ihave(struct run *run, const struct call *call, bool *answer_out)
{
	*answer_out = call->flag;
	run_trace_test(run, call, STR_EMPTY, call->flag);
	return SIEVE_OK;
}

const struct command_ops command_ihave = {
	.check = check_ihave,
	.truth = truth_of_ihave,
	.test = test_ihave,
};

/* ---- error (RFC 5463 5) ---- */

static enum sieve_status
act_error(struct run *run, const struct call *call)
{
	struct str message;

	if (run_text(run, call->arguments[0].texts, &message) != SIEVE_OK)
		return SIEVE_FAILED;
	return run_fail(run, "error: %s",
		report_one_line(&run->reporter, message, LONGEST_MESSAGE));
}

const struct command_ops command_error = {.act = act_error};
