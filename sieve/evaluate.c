/* SPDX-License-Identifier: MIT */
#include "sieve/evaluate.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/ext/testsuite.h"
#include "sieve/conflict.h"
#include "sieve/current.h"
#include "sieve/inclusion.h"
#include "sieve/loop.h"
#include "sieve/part.h"
#include "sieve/result.h"
#include "sieve/settings.h"

#include "base/banned.h"

/* Octets that are looked at for one step. */
enum { STEP_OCTETS = 1024 };

/* ---- limits ---- */

enum sieve_status
run_fail(struct run *run, const char *format, ...)
{
	struct arena *arena = run->reporter.report->arena;
	va_list args;

	va_start(args, format);
	report_error(&run->reporter, run->at, "%s",
		arena_vformat(arena, format, args));
	va_end(args);
	return SIEVE_FAILED;
}

enum sieve_status
run_charge(struct run *run, uint64_t count)
{
	if (count > run->steps)
		return run_fail(run,
			"the script needs more than %llu steps "
			"(sieve_max_steps)",
			(unsigned long long)run->settings.max_steps);
	run->steps -= count;
	return SIEVE_OK;
}

static uint64_t
memory_used(const struct run *run)
{
	return (uint64_t)arena_used(run->scratch) + arena_used(run->kept) +
	       (arena_used(run->result->arena) - run->result_used) +
	       parts_memory(run);
}

uint64_t
run_memory_left(const struct run *run)
{
	uint64_t used = memory_used(run), limit = run->settings.max_memory;

	return used < limit ? limit - used : 0;
}

enum sieve_status
run_reserve(struct run *run, uint64_t more)
{
	uint64_t used = memory_used(run), limit = run->settings.max_memory;

	if (used > limit || more > limit - used)
		return run_fail(run,
			"the script needs more than %llu bytes of memory "
			"(sieve_max_memory)",
			(unsigned long long)limit);
	return SIEVE_OK;
}

/* ---- time ---- */

bool
run_now(struct run *run, int64_t *now_out)
{
	if (!run->knows_now && run->host->ops->now != NULL) {
		run->now = run->host->ops->now(run->host);
		run->knows_now = true;
	}
	*now_out = run->now;
	return run->knows_now;
}

/* ---- texts and variables ---- */

static struct str
environment_value(const struct run *run, struct str name)
{
	const struct sieve_host_ops *ops = run->host->ops;
	struct str value;

	if (ops->environment != NULL &&
		ops->environment(run->host, name, &value))
		return value;
	return STR_EMPTY;
}

static struct str
part_value(const struct run *run, const struct text_part *part)
{
	switch (part->kind) {
	case TEXT_CONSTANT:
		return part->constant;
	case TEXT_VARIABLE:
		return variable_value(&run->variables[part->index]);
	case TEXT_CAPTURE:
		return variable_value(&run->captures[part->index]);
	case TEXT_ENVIRONMENT:
		return environment_value(run, part->constant);
	}
	return STR_EMPTY;
}

static uint64_t
text_size(const struct run *run, const struct text *text)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < text->count; i++)
		size += part_value(run, &text->parts[i]).len;
	return size;
}

enum sieve_status
run_text(struct run *run, const struct text *text, struct str *value_out)
{
	uint64_t size;
	char *value;
	size_t i, len = 0;

	if (text_is_constant(text)) {
		*value_out = text->constant;
		return SIEVE_OK;
	}
	size = text_size(run, text);
	if (run_reserve(run, size) != SIEVE_OK ||
		run_charge(run, (text->count + size / STEP_OCTETS) / 8) !=
			SIEVE_OK)
		return SIEVE_FAILED;
	value = arena_alloc(run->scratch, (size_t)size + 1);
	for (i = 0; i < text->count; i++) {
		struct str part = part_value(run, &text->parts[i]);

		if (part.len > 0)
			memcpy(value + len, part.data, part.len);
		len += part.len;
	}
	*value_out = str_of(value, len);
	return SIEVE_OK;
}

enum sieve_status
run_texts(struct run *run, const struct argument *argument,
	const struct str **values_out)
{
	struct str *values;
	size_t i;

	if (argument->constants != NULL) {
		*values_out = argument->constants;
		return SIEVE_OK;
	}
	values = ARENA_ARRAY(run->scratch, struct str, argument->count + 1);
	for (i = 0; i < argument->count; i++)
		if (run_text(run, &argument->texts[i], &values[i]) != SIEVE_OK)
			return SIEVE_FAILED;
	*values_out = values;
	return SIEVE_OK;
}

struct str
variable_value(const struct variable *variable)
{
	return str_of(
		variable->data != NULL ? variable->data : "", variable->len);
}

/* `value` may not be a part of the variable itself. */
void
variable_set(struct run *run, struct variable *variable, struct str value)
{
	enum { SMALLEST = 64 };

	value = utf8_cut(value, run->settings.max_variable_size);
	if (value.len > variable->size) {
		size_t size = variable->size > 0 ? variable->size : SMALLEST;

		while (size < value.len)
			size *= 2;
		variable->data = arena_alloc(run->kept, size);
		variable->size = size;
	}
	if (value.len > 0)
		memcpy(variable->data, value.data, value.len);
	variable->len = value.len;
}

/* ---- actions ---- */

static enum sieve_status
apply_tags(struct run *run, const struct call *call,
	struct pending_action *pending)
{
	size_t i;

	for (i = 0; i < call->tag_count; i++) {
		const struct tag_use *use = &call->tags[i];
		enum sieve_status status;

		if (use->tag->ops->apply == NULL)
			continue;
		status = use->tag->ops->apply(run, use, pending);
		if (status != SIEVE_OK)
			return status;
	}
	return SIEVE_OK;
}

static enum sieve_status
check_redirects(struct run *run)
{
	if (run->settings.redirects_prohibited)
		return run_fail(run,
			"local policy prohibits the use of a redirect action "
			"(sieve_max_redirects = 0)");
	if (run->redirects == run->settings.max_redirects)
		return run_fail(run,
			"number of redirect actions exceeds policy limit "
			"(sieve_max_redirects = %zu)",
			run->settings.max_redirects);
	run->redirects++;
	return SIEVE_OK;
}

/* RFC 5435 8 */
static enum sieve_status
check_notifications(struct run *run)
{
	if (run->notifications == run->settings.max_notifications)
		return run_fail(run,
			"number of notify actions exceeds policy limit "
			"(sieve_notify_max_notifications = %zu)",
			run->settings.max_notifications);
	run->notifications++;
	return SIEVE_OK;
}

/* RFC 5228 2.10.4 */
static enum sieve_status
check_action_limits(struct run *run, const struct sieve_action *action)
{
	if (run->result->count - run->first_action == run->settings.max_actions)
		return run_fail(run,
			"total number of actions exceeds policy limit "
			"(sieve_max_actions = %zu)",
			run->settings.max_actions);
	if (action->kind == SIEVE_REDIRECT)
		return check_redirects(run);
	if (action->kind == SIEVE_NOTIFY)
		return check_notifications(run);
	return SIEVE_OK;
}

static enum sieve_status
trace_action(struct run *run, const struct sieve_action *action)
{
	struct sieve_trace_event event = {
		.script = run->script,
		.line = run->at.line,
		.column = run->at.column,
		.kind = SIEVE_TRACE_ACTION,
		.name = sieve_action_text(run->scratch, action),
		.values = str_trim(str_from(sieve_action_tags(action))),
	};

	run->host->ops->trace(run->host, &event);
	return SIEVE_OK;
}

enum sieve_status
run_add_action(struct run *run, const struct call *call,
	struct pending_action *pending)
{
	struct sieve_action *action = &pending->action;
	enum sieve_status status;

	action->script = run->script;
	action->line = call->at.line;
	action->column = call->at.column;
	action->rule = run->instruction->rule;
	status = run_action_content(run, action);
	if (status != SIEVE_OK)
		return status;
	status = apply_tags(run, call, pending);
	if (status != SIEVE_OK)
		return status;
	status = conflict_check(run, action);
	if (status != SIEVE_OK)
		return status;
	if (pending->cancels_keep)
		run->implicit_keep = false;
	if (run_is_traced(run))
		trace_action(run, action);
	if (result_merge(run->result, run->first_action, action))
		return SIEVE_OK;
	status = check_action_limits(run, action);
	if (status != SIEVE_OK)
		return status;
	result_add(run->result, action);
	return SIEVE_OK;
}

/* ---- trace ---- */

bool
run_is_traced(const struct run *run)
{
	return run->host->ops->trace != NULL;
}

static void
trace(struct run *run, const struct sieve_trace_event *event)
{
	if (run_is_traced(run))
		run->host->ops->trace(run->host, event);
}

void
run_trace_test(struct run *run, const struct call *call, struct str values,
	bool answer)
{
	struct sieve_trace_event event = {
		.script = run->script,
		.line = call->at.line,
		.column = call->at.column,
		.kind = SIEVE_TRACE_TEST,
		.name = str_from(call->command->name),
		.values = values,
		.result = answer,
	};

	trace(run, &event);
}

void
run_trace_command(struct run *run, const struct call *call, struct str values)
{
	struct sieve_trace_event event = {
		.script = run->script,
		.line = call->at.line,
		.column = call->at.column,
		.kind = SIEVE_TRACE_COMMAND,
		.name = str_from(call->command->name),
		.values = values,
	};

	trace(run, &event);
}

/* ---- the run ---- */

static enum sieve_status
run_call(struct run *run, const struct instruction *instruction, bool *answer)
{
	const struct call *call = instruction->call;
	struct arena_mark mark = arena_mark(run->scratch);
	enum sieve_status status;

	run->instruction = instruction;
	run->at = instruction->at;
	if (instruction->op == OP_TEST)
		status = call->command->ops->test(run, call, answer);
	else
		status = call->command->ops->act(run, call);
	if (status == SIEVE_OK)
		status = run_reserve(run, 0);
	if (run->host_in_trouble)
		status = SIEVE_TEMPORARY;
	arena_release(run->scratch, mark);
	return status;
}

static enum sieve_status
run_program(struct run *run)
{
	const struct sieve_program *program = run->program;
	enum sieve_status status = SIEVE_OK;
	bool answer = false;
	size_t at = 0;

	while (status == SIEVE_OK) {
		const struct instruction *instruction = &program->code[at++];

		status = run_charge(run, 1);
		if (status != SIEVE_OK)
			break;
		switch (instruction->op) {
		case OP_TEST:
		case OP_ACT:
			status = run_call(run, instruction, &answer);
			break;
		case OP_NOT:
			answer = !answer;
			break;
		case OP_JUMP:
			at = instruction->target;
			break;
		case OP_JUMP_IF:
			if (answer)
				at = instruction->target;
			break;
		case OP_JUMP_UNLESS:
			if (!answer)
				at = instruction->target;
			break;
		case OP_CALL:
			run->at = instruction->at;
			status = inclusion_begin(run, instruction->call, &at);
			break;
		case OP_RETURN:
			if (!inclusion_end(run, &at))
				return SIEVE_OK;
			break;
		case OP_LOOP:
			run->at = instruction->at;
			status = loop_begin(run);
			break;
		case OP_LOOP_NEXT:
			if (!loop_next(run))
				at = instruction->target;
			break;
		case OP_LOOP_LEAVE:
			loop_leave(run, instruction->target);
			break;
		case OP_STOP:
			return SIEVE_OK;
		case OP_TEST_BLOCK:
			testsuite_enter(run, instruction->target);
			break;
		case OP_TEST_LEAVE:
			if (!testsuite_leave(run, &at))
				return SIEVE_OK;
			break;
		}
	}
	return status;
}

static void
run_start(struct run *run, const struct sieve_program *program,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err)
{
	*run = (struct run){
		.program = program,
		.settings = settings_filled(settings),
		.host = host,
		.message = host->ops->message(host),
		.result = result,
		.err = err,
		.scratch = arena_open(),
		.kept = arena_open(),
		.implicit_keep = true,
	};
	reporter_init(&run->reporter, report, program->script,
		run->settings.max_errors);
	run->steps = run->settings.max_steps;
	run->result_used = arena_used(result->arena);
	run->variables =
		ARENA_ARRAY(run->kept, struct variable, program->variables + 1);
	inclusion_start(run);
	run->memory = match_memory_open(run->kept);
	result_begin(result);
	current_begin(run);
	run->first_action = result->count;
	result->has_answered = false;
	run->first_mark = result->mark_count;
	run->flags = result->flags;
	run->keep_target = result->keep_target;
	run->keep_target_create = result->keep_target_create;
}

static void
run_end(struct run *run, enum sieve_status status)
{
	struct sieve_result *result = run->result;

	if (status == SIEVE_OK) {
		result->implicit_keep = run->implicit_keep;
		result->keep_in_effect =
			run->implicit_keep || result_has_keep(result);
		result->flags = run->flags;
		result->keep_target = run->keep_target;
		result->keep_target_create = run->keep_target_create;
		current_end(run);
	} else {
		/* RFC 5228 2.10.6: a keep, and nothing of what it wanted; the
		 * message is as it was before (RFC 5293 7). */
		result->count = run->first_action;
		result->mark_count = run->first_mark;
		result->implicit_keep = true;
		result->keep_in_effect = true;
	}
	parts_close(run);
	arena_close(&run->scratch);
	arena_close(&run->kept);
}

enum sieve_status
sieve_run(const struct sieve_program *program,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err)
{
	struct run run;
	enum sieve_status status;

	run_start(&run, program, settings, host, result, report, err);
	status = run_program(&run);
	run_end(&run, status);
	return status;
}
