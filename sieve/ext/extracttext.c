/* extracttext - a part's text in a variable (RFC 5703 7)
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/ext/variables.h"
#include "sieve/loop.h"
#include "sieve/part.h"
#include "sieve/registry.h"

#include "base/banned.h"

static void
check_extracttext(struct checker *checker, struct ast_command *node)
{
	const struct ast_command *around = node->parent;

	if (check_requires(
		    checker, node->at, "extracttext", EXTENSION_VARIABLES))
		(void)variables_named(
			checker, node->call, &node->call->arguments[0]);
	while (around != NULL && around->command != NULL &&
		around->command->id != COMMAND_FOREVERYPART)
		around = around->parent;
	if (around == NULL)
		report_warning(checker->reporter, node->at,
			"\"extracttext\" is in no \"foreverypart\": the "
			"variable becomes empty");
}

/* RFC 5703 7: what cannot be read is empty. */
static enum sieve_status
current_text(struct run *run, struct str *text_out)
{
	struct parts *parts;
	enum sieve_status status;
	size_t index;

	*text_out = STR_EMPTY;
	if (!loop_part(run, &parts, &index) ||
		!part_is_text(&parts->mime->parts[index]))
		return SIEVE_OK;
	status = part_text(run, parts, index, text_out);
	if (parts->bytes[index].is_unreadable)
		*text_out = STR_EMPTY;
	return status;
}

static enum sieve_status
act_extracttext(struct run *run, const struct call *call)
{
	const struct tag_use *first = call_tag(call, GROUP_FIRST);
	struct str text;
	enum sieve_status status = current_text(run, &text);

	if (status != SIEVE_OK)
		return status;
	if (first != NULL)
		text = utf8_first(text, first->argument.number);
	if (variables_modify(run, call, &text) != SIEVE_OK)
		return SIEVE_FAILED;
	variable_set(run, &run->variables[call->variables[0]], text);
	if (run_is_traced(run))
		run_trace_command(run, call,
			str_from(arena_format(run->scratch, "%.*s = \"%.*s\"",
				STR_ARG(call->arguments[0].texts->constant),
				STR_ARG(utf8_cut(text, 200)))));
	return SIEVE_OK;
}

const struct command_ops command_extracttext = {
	.check = check_extracttext,
	.act = act_extracttext,
};
