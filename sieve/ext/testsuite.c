/* SPDX-License-Identifier: MIT */
#include "sieve/ext/testsuite.h"

#include "base/number.h"
#include "base/utf8.h"
#include "sieve/check.h"
#include "sieve/comparator.h"
#include "sieve/compare.h"
#include "sieve/current.h"
#include "sieve/emit.h"
#include "sieve/evaluate.h"
#include "sieve/inclusion.h"
#include "sieve/settings.h"

#include "base/banned.h"

/* ---- the capabilities ---- */

/* ${tst.path}; other members are empty. */
static bool
resolve_tst(struct checker *checker, struct position at, struct str name,
	struct text_part *part)
{
	if (str_has_char(name, '.') || ascii_is_digit(name.data[0])) {
		check_error(checker, at,
			"the namespace \"tst\" has plain names only, not %s",
			check_quote(checker, name));
		return false;
	}
	part->kind = TEXT_CONSTANT;
	if (str_is_nocase(name, "path"))
		part->constant = arena_copy(checker->arena,
			str_from(checker->settings->testsuite_path));
	return true;
}

const struct extension_ops extension_testsuite = {
	.name_space = "tst",
	.resolve = resolve_tst,
	.is_hidden = true,
	.brings = EXTENSION_COMPARATOR_UNICODE,
};
const struct extension_ops extension_stalwart_testsuite = {
	.is_hidden = true,
	.brings = EXTENSION_TESTSUITE,
};

/* ---- asking ---- */

static enum sieve_status
read_strings(struct run *run, const struct call *call,
	struct testsuite_request *request)
{
	const struct parameter *parameters = call->command->parameters;
	struct str *texts;
	size_t i, j, count = 0;

	for (i = 0; i < MOST_PARAMETERS && parameters[i].name != NULL; i++)
		count += call->arguments[i].count;
	texts = ARENA_ARRAY(run->scratch, struct str, count + 1);
	request->texts = texts;
	for (i = 0; i < MOST_PARAMETERS && parameters[i].name != NULL; i++) {
		const struct argument *argument = &call->arguments[i];

		if (argument->is_given && argument->count == 0)
			request->number = argument->number;
		for (j = 0; j < argument->count; j++)
			if (run_text(run, &argument->texts[j],
				    &texts[request->text_count++]) != SIEVE_OK)
				return SIEVE_FAILED;
	}
	return SIEVE_OK;
}

static enum sieve_status
read_tags(struct run *run, const struct call *call,
	struct testsuite_request *request)
{
	size_t i;

	for (i = 0; i < call->tag_count; i++) {
		const struct tag_use *use = &call->tags[i];

		if (use->tag->extension != EXTENSION_TESTSUITE &&
			use->tag->extension != EXTENSION_STALWART_TESTSUITE)
			continue;
		if (use->tag->id == TAG_TEST_SENT) {
			request->has_smtp = true;
			request->number = use->argument.number;
		}
		request->has_smtp |= use->tag->id == TAG_TEST_SMTP;
		request->appends |= use->tag->id == TAG_TEST_APPEND;
		request->has_script |= use->tag->id == TAG_TEST_SCRIPT;
		request->has_text |= use->tag->id == TAG_TEST_TEXT;
		request->is_located |= use->tag->id == TAG_TEST_LOCATED;
		if (use->tag->parameter != PARAMETER_A_STRING)
			continue;
		request->has_tag_text = true;
		if (run_text(run, use->argument.texts, &request->tag_text) !=
			SIEVE_OK)
			return SIEVE_FAILED;
	}
	return SIEVE_OK;
}

/* The world may be another one now. */
static void
go_on_with(struct run *run, const struct testsuite_request *request)
{
	const struct message *message = run->host->ops->message(run->host);
	size_t depth = run->settings.max_include_depth;

	run->implicit_keep = run->result->implicit_keep;
	run->flags = run->result->flags;
	if (message != run->message)
		run_set_message(run, message);
	if (run->result->count == 0)
		run->redirects = 0;
	if (request->settings != NULL)
		run->settings = settings_filled(request->settings);
	/* There are frames for so many. */
	run->settings.max_include_depth = depth;
}

static enum sieve_status
ask(struct run *run, const struct call *call, struct testsuite_request *request)
{
	enum sieve_status status;

	if (run->host->ops->testsuite == NULL)
		return run_fail(run, "\"%s\" works in a test runner only",
			call->command->name);
	request->command = call->command->id;
	request->script = str_from(run->script);
	request->line = call->at.line;
	request->tag_text = STR_EMPTY;
	request->result = run->result;
	if (!request->is_end &&
		(read_strings(run, call, request) != SIEVE_OK ||
			read_tags(run, call, request) != SIEVE_OK))
		return SIEVE_FAILED;
	run->result->implicit_keep = run->implicit_keep;
	run->result->flags = run->flags;
	run->result->edited = run->edited;
	if (run_content(run, &run->result->content) != SIEVE_OK)
		return SIEVE_FAILED;
	status = run->host->ops->testsuite(run->host, request, run->err);
	if (status == SIEVE_FAILED)
		return run_fail(
			run, "%s: %s", call->command->name, request->problem);
	if (status == SIEVE_OK)
		go_on_with(run, request);
	return status;
}

static enum sieve_status
act_plain(struct run *run, const struct call *call)
{
	struct testsuite_request request = {.is_end = false};

	return ask(run, call, &request);
}

static enum sieve_status
test_answer(struct run *run, const struct call *call, bool *answer_out)
{
	struct testsuite_request request = {.is_end = false};
	enum sieve_status status = ask(run, call, &request);

	*answer_out = request.answer;
	if (status == SIEVE_OK && run_is_traced(run))
		run_trace_test(run, call,
			request.text_count > 0 ? request.texts[0] : STR_EMPTY,
			request.answer);
	return status;
}

const struct command_ops command_test_plain = {.act = act_plain};
const struct command_ops command_test_answer = {.test = test_answer};

/* ---- test, test_fail ---- */

static void
check_block(struct checker *checker, struct ast_command *node)
{
	if (checker->depth > 0)
		check_error(checker, node->at,
			"\"test\" stands at the top level only, not in a "
			"block");
}

void
testsuite_enter(struct run *run, size_t end)
{
	run->is_in_test = true;
	run->test_end = end;
	run->test_depth = run->depth;
	run->test_loops = run->loop_count;
}

bool
testsuite_leave(struct run *run, size_t *at)
{
	if (!run->is_in_test)
		return false;
	while (run->depth > run->test_depth && inclusion_end(run, at))
		;
	run->is_in_test = false;
	run->loop_count = run->test_loops;
	*at = run->test_end;
	return true;
}

static enum sieve_status
act_block_end(struct run *run, const struct call *call)
{
	struct testsuite_request request = {.is_end = true};

	run->is_in_test = false;
	return ask(run, call, &request);
}

static const struct command_ops block_end = {.act = act_block_end};

/*   ACT test; TEST_BLOCK end; block; ACT end of test; end: */
static void
emit_block(struct emitter *emitter, const struct ast_command *node)
{
	struct command *end = ARENA_NEW(emitter->arena, struct command);
	struct call *call = ARENA_NEW(emitter->arena, struct call);
	size_t block;

	emit_call(emitter, OP_ACT, node->call);
	block = emit_jump(emitter, OP_TEST_BLOCK, node->at, NO_JUMP);
	emit_commands(emitter, node->block);
	*end = *node->command;
	end->ops = &block_end;
	*call = *node->call;
	call->command = end;
	emit_call(emitter, OP_ACT, call);
	emit_land(emitter, block);
}

const struct command_ops command_test_block = {
	.check = check_block,
	.emit = emit_block,
	.act = act_plain,
};

static void
emit_fail(struct emitter *emitter, const struct ast_command *node)
{
	emit_call(emitter, OP_ACT, node->call);
	emit_plain(emitter, OP_TEST_LEAVE, node->at);
}

const struct command_ops command_test_fail = {
	.emit = emit_fail,
	.act = act_plain,
};

/* ---- test_set ---- */

static bool
is_object(const struct checker *checker, struct str name)
{
	static const char *const objects[] = {"message", "envelope.from",
		"envelope.to", "envelope.orig_to", "envelope.auth"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(objects); i++)
		if (str_is_nocase(name, objects[i]))
			return true;
	return checker->is_required[EXTENSION_STALWART_TESTSUITE] &&
	       (str_is_nocase(name, "currentdate") ||
		       str_starts_nocase(name, STR("envelope.")));
}

static void
check_set(struct checker *checker, struct ast_command *node)
{
	const struct argument *object = &node->call->arguments[0];
	bool has_value = node->call->arguments[1].is_given;
	struct str name;

	if (has_value == (call_tag(node->call, GROUP_TEST_SENT) != NULL))
		check_error(checker, node->at,
			"\"test_set\" needs a value for the object");
	if (check_constant(checker, object, "the object", &name) &&
		!is_object(checker, name))
		check_error(checker, object->at,
			"%s is no object that can be set",
			check_quote(checker, name));
}

const struct command_ops command_test_set = {
	.has_tags_behind = true,
	.check = check_set,
	.act = act_plain,
};

/* ---- test_message ---- */

static void
check_message(struct checker *checker, struct ast_command *node)
{
	const struct tag_use *use = call_tag(node->call, GROUP_TEST_OUTPUT);
	const struct text *name;

	if (use == NULL) {
		check_error(checker, node->at,
			"\"test_message\" needs :smtp or :folder");
		return;
	}
	name = use->argument.texts;
	if (use->tag->id == TAG_TEST_FOLDER && text_is_constant(name) &&
		!utf8_is_valid(name->constant))
		check_error(checker, use->at,
			"the name of the mailbox is not UTF-8");
}

/* As a command it leaves the block when there is no such message. */
static void
emit_may_fail(struct emitter *emitter, const struct ast_command *node)
{
	size_t over;

	emit_call(emitter, OP_TEST, node->call);
	over = emit_jump(emitter, OP_JUMP_IF, node->at, NO_JUMP);
	emit_plain(emitter, OP_TEST_LEAVE, node->at);
	emit_land(emitter, over);
}

const struct command_ops command_test_message = {
	.check = check_message,
	.emit = emit_may_fail,
	.test = test_answer,
};
const struct command_ops command_test_may_fail = {
	.emit = emit_may_fail,
	.test = test_answer,
};
const struct command_ops command_test_message_test = {
	.check = check_message,
	.test = test_answer,
};

/* ---- test_result_action, test_error ---- */

static void
check_values(struct checker *checker UNUSED, struct ast_command *node)
{
	if (call_tag(node->call, GROUP_COMPARATOR) == NULL)
		node->call->comparator = &comparator_octet;
}

static size_t
last_parameter(const struct call *call)
{
	const struct parameter *parameters = call->command->parameters;
	size_t last = 0;

	while (last + 1 < MOST_PARAMETERS && parameters[last + 1].name != NULL)
		last++;
	return last;
}

static enum sieve_status
compare_values(struct compare *compare, const struct testsuite_request *request)
{
	const struct tag_use *use = call_tag(compare->call, GROUP_TEST_INDEX);
	uint64_t index;

	for (index = 1; index <= request->value_count && !compare->is_true;
		index++)
		if ((use == NULL || index == use->argument.number) &&
			compare_value(compare, request->values[index - 1]) !=
				SIEVE_OK)
			return SIEVE_FAILED;
	return SIEVE_OK;
}

/* :count "eq" of two or more, and any wording that the script insists on: what is
 * tested stands behind a "not". */
static bool
is_forgiven(const struct run *run, const struct call *call,
	const struct testsuite_request *request)
{
	uint64_t expected;

	if (!request->is_lenient || request->value_count == 0)
		return false;
	if (!call->match_type->counts)
		return run->instruction[1].op == OP_NOT;
	return call->relation == RELATION_EQ && call->key_count == 1 &&
	       number_parse(call->keys[0].text, &expected) == 0 &&
	       expected >= 2;
}

static enum sieve_status
test_values(struct run *run, const struct call *call, bool *answer_out)
{
	struct testsuite_request request = {
		.has_action = call->command->id == COMMAND_TEST_RESULT_ACTION &&
	                      call->arguments[0].is_given};
	struct compare compare;
	enum sieve_status status = ask(run, call, &request);

	if (status != SIEVE_OK)
		return status;
	if (compare_start(&compare, run, call, last_parameter(call)) !=
			SIEVE_OK ||
		compare_values(&compare, &request) != SIEVE_OK)
		return SIEVE_FAILED;
	compare_end(&compare, answer_out);
	if (!*answer_out)
		*answer_out = is_forgiven(run, call, &request);
	return SIEVE_OK;
}

const struct command_ops command_test_values = {
	.check = check_values,
	.test = test_values,
};
