/* SPDX-License-Identifier: MIT */
#include "sieve/ext/external.h"

#include "base/utf8.h"
#include "mail/content.h"
#include "sieve/current.h"
#include "sieve/registry.h"
#include "sieve/report.h"

#include "base/banned.h"

enum {
	LONGEST_NAME = 128,      /* bytes, as in Pigeonhole */
	LONGEST_ARGUMENT = 1024, /* bytes, as in Pigeonhole */
	MOST_ARGUMENTS = 64,
	RUN_STEPS = 1000, /* of a program, beside its bytes */
	STEP_OCTETS = 1024
};

/* ---- names and arguments ---- */

static const char name_is_wrong[] =
	"%s is no name of a program: it may hold no \"/\" and no control "
	"character, begins with no dot, and has 128 bytes at most";
static const char argument_is_wrong[] =
	"%s is no argument: it may hold no line end and no NUL, and has 1024 "
	"bytes at most";
static const char too_many_arguments[] = "a program takes 64 arguments at most";

static bool
is_name(struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < ' ' ||
			name.data[i] == '\x7f' || name.data[i] == '/')
			return false;
	return name.len > 0 && name.len <= LONGEST_NAME &&
	       name.data[0] != '.' && utf8_is_valid(name);
}

static bool
is_argument(struct str argument)
{
	return argument.len <= LONGEST_ARGUMENT &&
	       str_find_any(argument, "\r\n") == argument.len &&
	       !str_has_char(argument, '\0');
}

void
external_check(struct checker *checker, struct ast_command *node)
{
	const struct text *name = node->call->arguments[0].texts;
	const struct argument *arguments = &node->call->arguments[1];
	size_t i;

	if (text_is_constant(name) && !is_name(name->constant))
		check_error(checker, name->at, name_is_wrong,
			check_quote(checker, name->constant));
	if (arguments->count > MOST_ARGUMENTS)
		check_error(checker, arguments->at, too_many_arguments);
	for (i = 0; i < arguments->count; i++)
		if (text_is_constant(&arguments->texts[i]) &&
			!is_argument(arguments->texts[i].constant))
			check_error(checker, arguments->texts[i].at,
				argument_is_wrong,
				check_quote(
					checker, arguments->texts[i].constant));
}

static enum sieve_status
read_name(struct run *run, const struct call *call, struct str *name_out)
{
	struct str name;

	if (run_text(run, call->arguments[0].texts, &name) != SIEVE_OK)
		return SIEVE_FAILED;
	if (!is_name(name))
		return run_fail(
			run, name_is_wrong, report_quote(&run->reporter, name));
	*name_out = arena_copy(run->result->arena, name);
	return SIEVE_OK;
}

enum sieve_status
external_read(struct run *run, const struct call *call, struct str *name_out,
	const struct str **arguments_out, size_t *count_out)
{
	size_t count = call->arguments[1].count, i;
	struct str *own =
		ARENA_ARRAY(run->result->arena, struct str, count + 1);
	const struct str *values = NULL;

	if (read_name(run, call, name_out) != SIEVE_OK ||
		(count > 0 && run_texts(run, &call->arguments[1], &values) !=
				      SIEVE_OK))
		return SIEVE_FAILED;
	for (i = 0; i < count; i++) {
		if (!is_argument(values[i]))
			return run_fail(run, argument_is_wrong,
				report_quote(&run->reporter, values[i]));
		own[i] = arena_copy(run->result->arena, values[i]);
	}
	*arguments_out = own;
	*count_out = count;
	return SIEVE_OK;
}

/* ---- one run ---- */

enum sieve_status
external_charge(struct run *run)
{
	if (run->programs == run->settings.max_programs)
		return run_fail(run,
			"the script runs more than %zu programs "
			"(sieve_max_programs)",
			run->settings.max_programs);
	run->programs++;
	return run_charge(run, RUN_STEPS);
}

enum sieve_status
external_give_message(struct run *run, struct sieve_external *external)
{
	if (run_content(run, &external->content) != SIEVE_OK)
		return SIEVE_FAILED;
	if (external->content == NULL)
		external->content = content_of(run->scratch, run->message);
	return run_charge(
		run, 1 + message_size_crlf(run->message) / STEP_OCTETS);
}

static void
tell(struct run *run, const struct call *call,
	const struct sieve_external *external)
{
	if (run_is_traced(run) && call->command->kind == KIND_ACTION)
		run_trace_command(run, call,
			external->problem != NULL ? str_from(external->problem)
						  : external->name);
	/* An action says it as its error. */
	if (external->end == SIEVE_EXTERNAL_IMPOSSIBLE &&
		external->problem != NULL && call->command->kind == KIND_TEST)
		report_note(&run->reporter, run->at, "%s: %s",
			call->command->name, external->problem);
}

enum sieve_status
external_run(struct run *run, const struct call *call,
	struct sieve_external *external)
{
	const struct sieve_host_ops *ops = run->host->ops;
	uint64_t left = run_memory_left(run) / 2;

	if (external_charge(run) != SIEVE_OK)
		return SIEVE_FAILED;
	external->arena = run->result->arena;
	external->most = run->settings.max_program_output;
	if (external->most > left)
		external->most = left;
	external->output = STR_EMPTY;
	external->problem = NULL;
	external->end = SIEVE_EXTERNAL_IMPOSSIBLE;
	if (ops->run_program == NULL)
		external->problem = "no programs are run here";
	else
		ops->run_program(run->host, external);
	tell(run, call, external);
	return run_charge(run, external->output.len / STEP_OCTETS);
}

enum sieve_status
external_end(struct run *run, const struct call *call,
	const struct sieve_external *external)
{
	if (call->command->kind == KIND_TEST ||
		external->end != SIEVE_EXTERNAL_IMPOSSIBLE)
		return SIEVE_OK;
	return run_fail(run, "%s: cannot run the program %s: %s",
		call->command->name,
		report_quote(&run->reporter, external->name),
		external->problem != NULL ? external->problem : "");
}
