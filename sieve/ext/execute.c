/* execute - a program run for what it says (vnd.dovecot.execute)
 *
 * The test is true when it has ended with status 0; only then does :output set
 * its variable.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/ext/external.h"
#include "sieve/ext/variables.h"
#include "sieve/registry.h"

#include "base/banned.h"

static void
check_execute(struct checker *checker, struct ast_command *node)
{
	const struct tag_use *output =
		call_tag(node->call, GROUP_EXECUTE_OUTPUT);

	external_check(checker, node);
	if (output != NULL && check_requires(checker, output->at, "\":output\"",
				      EXTENSION_VARIABLES))
		(void)variables_named(checker, node->call, &output->argument);
}

static enum sieve_status
give_input(struct run *run, const struct call *call,
	struct sieve_external *external)
{
	const struct tag_use *use = call_tag(call, GROUP_EXECUTE_INPUT);

	if (use == NULL)
		return SIEVE_OK;
	if (use->tag->id == TAG_EXECUTE_PIPE)
		return external_give_message(run, external);
	return run_text(run, use->argument.texts, &external->input);
}

static enum sieve_status
execute(struct run *run, const struct call *call, bool *answer_out)
{
	struct sieve_external external = {.kind = SIEVE_EXTERNAL_EXECUTE,
		.wants_output = call->variable_count > 0};

	*answer_out = false;
	if (external_read(run, call, &external.name, &external.arguments,
		    &external.argument_count) != SIEVE_OK ||
		give_input(run, call, &external) != SIEVE_OK ||
		external_run(run, call, &external) != SIEVE_OK)
		return SIEVE_FAILED;
	*answer_out = external.end == SIEVE_EXTERNAL_DONE;
	if (!*answer_out)
		return external_end(run, call, &external);
	if (external.wants_output)
		variable_set(run, &run->variables[call->variables[0]],
			external.output);
	return SIEVE_OK;
}

static enum sieve_status
act_execute(struct run *run, const struct call *call)
{
	bool answer;

	return execute(run, call, &answer);
}

static enum sieve_status
test_execute(struct run *run, const struct call *call, bool *answer_out)
{
	enum sieve_status status = execute(run, call, answer_out);

	if (status == SIEVE_OK)
		run_trace_test(run, call, STR_EMPTY, *answer_out);
	return status;
}

const struct command_ops command_execute = {
	.check = check_execute,
	.act = act_execute,
	.test = test_execute,
};
