/* filter - the message through a program, and what comes out in its place
 * (vnd.dovecot.filter)
 *
 * A program that fails or says nothing leaves the message as it was.  The test is
 * true when there is another message now.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sieve/check.h"
#include "sieve/evaluate.h"
#include "sieve/ext/external.h"
#include "sieve/ext/newmessage.h"
#include "sieve/loop.h"
#include "sieve/registry.h"

#include "base/banned.h"

/* A message of nothing would be one that is lost. */
static void
check_output(struct sieve_external *external)
{
	if (external->end == SIEVE_EXTERNAL_DONE && external->output.len == 0) {
		external->end = SIEVE_EXTERNAL_FAILED;
		external->problem = "it has written nothing";
	}
}

static enum sieve_status
use_output(struct run *run, const struct sieve_external *external)
{
	struct parts *parts = NULL;
	size_t index;

	if (loop_part(run, &parts, &index)) {
		newmessage_mark_body(run, parts);
		loop_drop_children(parts, 0);
	}
	return newmessage_set_message(run, external->output);
}

static enum sieve_status
filter(struct run *run, const struct call *call, bool *answer_out)
{
	struct sieve_external external = {
		.kind = SIEVE_EXTERNAL_FILTER, .wants_output = true};
	enum sieve_status status;

	*answer_out = false;
	if (external_read(run, call, &external.name, &external.arguments,
		    &external.argument_count) != SIEVE_OK ||
		external_give_message(run, &external) != SIEVE_OK ||
		external_run(run, call, &external) != SIEVE_OK)
		return SIEVE_FAILED;
	check_output(&external);
	*answer_out = external.end == SIEVE_EXTERNAL_DONE;
	if (!*answer_out)
		return external_end(run, call, &external);
	status = use_output(run, &external);
	return status;
}

static enum sieve_status
act_filter(struct run *run, const struct call *call)
{
	bool answer;

	return filter(run, call, &answer);
}

static enum sieve_status
test_filter(struct run *run, const struct call *call, bool *answer_out)
{
	enum sieve_status status = filter(run, call, answer_out);

	if (status == SIEVE_OK)
		run_trace_test(run, call, STR_EMPTY, *answer_out);
	return status;
}

const struct command_ops command_filter = {
	.check = external_check,
	.act = act_filter,
	.test = test_filter,
};
