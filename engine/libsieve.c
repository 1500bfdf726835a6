/* libsieve - Debian's libsieve, once, in a child that may come to harm
 *
 * The library crashes on valid scripts, cannot be used twice in a process and
 * knows no limits.  So each run is a process (child.h) whose actions come back as
 * checked bytes (answer.h).  Whatever goes wrong, an error in the script, an
 * address that cannot be read, a crash, a limit or half an answer, is a failure
 * of the script: keep, with a line in the log.
 *
 * It asks for header fields by name and gets them from our index.  Fields that
 * hold addresses are unfolded only, as decoded names would break its reader of
 * addresses; others are decoded as well (RFC 2047).
 *
 * Only what this file answers is offered: no reject, vacation or notify.
 *
 * SPDX-License-Identifier: MIT
 */
#include <limits.h>
#include <stddef.h>

#include <sieve2.h>

#include "base/arena.h"
#include "mail/encodedword.h"
#include "mail/message.h"
#include "engine/answer.h"
#include "engine/child.h"
#include "engine/engines.h"

#include "base/banned.h"

enum {
	DEFAULT_MEMORY = 64 * 1024 * 1024, /* bytes */
	DEFAULT_SCRIPT = 1024 * 1024,      /* bytes */
	CPU_S = 2,
	WALL_MS = 10000
};

/* What a run knows in the child. */
struct evaluation {
	struct arena *arena;
	const struct engine_script *script;
	const struct sieve_settings *settings;
	struct sieve_host *host;
	const struct message *message;
	struct buf answer;
};

/* ---- what the library asks for and tells ---- */

static struct evaluation *
evaluation_of(void *user)
{
	return user;
}

/* The library's names are `char *`, and it changes none of them. */
#define NAME(literal) ((char[]){literal})

static struct str
value_of(sieve2_context_t *context, char *name)
{
	return str_from(sieve2_getvalue_string(context, name));
}

/* Bytes that C strings cannot hold become blanks. */
static char *
library_text(struct evaluation *evaluation, struct str text)
{
	char *copy = arena_text(evaluation->arena, text);
	size_t i;

	for (i = 0; i < text.len; i++)
		if (copy[i] == '\0')
			copy[i] = ' ';
	return copy;
}

static void
add_flags(struct evaluation *evaluation, sieve2_context_t *context)
{
	char **flags = sieve2_getvalue_stringlist(context, NAME("flags"));
	struct str rest, flag;

	/* "a b" is two flags (RFC 5232 2). */
	for (; flags != NULL && *flags != NULL; flags++) {
		rest = str_from(*flags);
		while (str_next_word(&rest, &flag))
			answer_add(&evaluation->answer, ANSWER_FLAG, flag);
	}
}

static int
take_keep(sieve2_context_t *context, void *user)
{
	struct evaluation *evaluation = evaluation_of(user);

	answer_add(&evaluation->answer, ANSWER_KEEP, STR_EMPTY);
	add_flags(evaluation, context);
	return SIEVE2_OK;
}

static int
take_fileinto(sieve2_context_t *context, void *user)
{
	struct evaluation *evaluation = evaluation_of(user);

	answer_add(&evaluation->answer, ANSWER_FILEINTO,
		value_of(context, NAME("mailbox")));
	add_flags(evaluation, context);
	return SIEVE2_OK;
}

static int
take_redirect(sieve2_context_t *context, void *user)
{
	answer_add(&evaluation_of(user)->answer, ANSWER_REDIRECT,
		value_of(context, NAME("address")));
	return SIEVE2_OK;
}

static int
take_discard(sieve2_context_t *context, void *user)
{
	(void)context;
	answer_add(&evaluation_of(user)->answer, ANSWER_DISCARD, STR_EMPTY);
	return SIEVE2_OK;
}

static int
take_problem(sieve2_context_t *context, void *user)
{
	int line = sieve2_getvalue_int(context, NAME("lineno"));

	/* Lines are not known for what is wrong in a message. */
	answer_add_problem(&evaluation_of(user)->answer,
		line > 0 ? (unsigned)line : 1,
		value_of(context, NAME("message")));
	return SIEVE2_OK;
}

static int
give_script(sieve2_context_t *context, void *user)
{
	struct evaluation *evaluation = evaluation_of(user);

	sieve2_setvalue_string(context, NAME("script"),
		library_text(evaluation, evaluation->script->text));
	return SIEVE2_OK;
}

static int
give_size(sieve2_context_t *context, void *user)
{
	uint64_t size = message_size_crlf(evaluation_of(user)->message);

	sieve2_setvalue_int(
		context, NAME("size"), size < INT_MAX ? (int)size : INT_MAX);
	return SIEVE2_OK;
}

static bool
holds_addresses(struct str name)
{
	static const char *const names[] = {"from", "sender", "reply-to", "to",
		"cc", "bcc", "resent-from", "resent-sender", "resent-to",
		"resent-cc", "resent-bcc", "return-path", "delivered-to",
		"x-original-to", "envelope-to"};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++)
		if (str_is_nocase(name, names[i]))
			return true;
	return false;
}

static int
give_header(sieve2_context_t *context, void *user)
{
	struct evaluation *evaluation = evaluation_of(user);
	struct str name = value_of(context, NAME("header")), value;
	const struct header_field *field = NULL;
	bool is_raw = holds_addresses(name);
	size_t count = 0, most;
	char **values;

	(void)message_fields(evaluation->message, &most);
	values = ARENA_ARRAY(evaluation->arena, char *, most + 1);
	while ((field = message_field_next(evaluation->message, name, field)) !=
		NULL) {
		value = is_raw ? encodedword_unfold(
					 evaluation->arena, field->value)
		               : encodedword_decode(
					 evaluation->arena, field->value);
		values[count++] = library_text(evaluation, value);
	}
	values[count] = NULL;
	sieve2_setvalue_stringlist(context, NAME("body"), values);
	return SIEVE2_OK;
}

static void
give_envelope_part(struct evaluation *evaluation, sieve2_context_t *context,
	enum sieve_envelope_part part, char *name)
{
	struct address address;

	if (evaluation->host->ops->envelope(evaluation->host, part, &address))
		sieve2_setvalue_string(
			context, name, library_text(evaluation, address.text));
}

static int
give_envelope(sieve2_context_t *context, void *user)
{
	struct evaluation *evaluation = evaluation_of(user);

	give_envelope_part(
		evaluation, context, SIEVE_ENVELOPE_FROM, NAME("from"));
	give_envelope_part(evaluation, context, SIEVE_ENVELOPE_TO, NAME("to"));
	return SIEVE2_OK;
}

/* amy+lists@example.org: user, detail, localpart, domain. */
static int
give_subaddress(sieve2_context_t *context, void *user)
{
	struct evaluation *evaluation = evaluation_of(user);
	const char *delimiters = evaluation->settings->delimiters;
	struct str address = value_of(context, NAME("address"));
	size_t at = str_find_last_char(address, '@');
	struct str local = str_slice(address, 0, at);
	size_t end = str_find_any(local, delimiters ? delimiters : "+");

	sieve2_setvalue_string(
		context, NAME("localpart"), library_text(evaluation, local));
	sieve2_setvalue_string(context, NAME("domain"),
		library_text(evaluation, str_skip(address, at + 1)));
	sieve2_setvalue_string(context, NAME("user"),
		library_text(evaluation, str_slice(local, 0, end)));
	sieve2_setvalue_string(context, NAME("detail"),
		library_text(evaluation, str_skip(local, end + 1)));
	return SIEVE2_OK;
}

static int
ignore_trace(sieve2_context_t *context, void *user)
{
	(void)context;
	(void)user;
	return SIEVE2_OK;
}

/* ---- one run ---- */

/* -1: the library does not take it; the answer has no end then. */
static int
execute(struct evaluation *evaluation)
{
	sieve2_callback_t callbacks[] = {
		{SIEVE2_ACTION_KEEP, take_keep},
		{SIEVE2_ACTION_FILEINTO, take_fileinto},
		{SIEVE2_ACTION_REDIRECT, take_redirect},
		{SIEVE2_ACTION_DISCARD, take_discard},
		{SIEVE2_ERRCALL_RUNTIME, take_problem},
		{SIEVE2_ERRCALL_PARSE, take_problem},
		{SIEVE2_ERRCALL_HEADER, take_problem},
		{SIEVE2_ERRCALL_ADDRESS, take_problem},
		{SIEVE2_DEBUG_TRACE, ignore_trace},
		{SIEVE2_SCRIPT_GETSCRIPT, give_script},
		{SIEVE2_MESSAGE_GETSIZE, give_size},
		{SIEVE2_MESSAGE_GETHEADER, give_header},
		{SIEVE2_MESSAGE_GETENVELOPE, give_envelope},
		{SIEVE2_MESSAGE_GETSUBADDRESS, give_subaddress},
		{SIEVE2_VALUE_FIRST, NULL},
	};
	sieve2_context_t *context = NULL;

	/* The context is not freed: the process ends, and the library's own
	 * cleaning up is where it crashes most. */
	if (sieve2_alloc(&context) != SIEVE2_OK ||
		sieve2_callbacks(context, callbacks) != SIEVE2_OK ||
		sieve2_execute(context, evaluation) != SIEVE2_OK)
		return -1;
	answer_add(&evaluation->answer, ANSWER_END, STR_EMPTY);
	return 0;
}

NO_RETURN static void
evaluate_in_child(const struct child *child, struct evaluation *evaluation)
{
	buf_init(&evaluation->answer, ANSWER_BYTES_MOST);
	if (execute(evaluation) < 0 || evaluation->answer.overflowed)
		buf_reset(&evaluation->answer);
	child_answer(child, buf_view(&evaluation->answer));
}

/* ---- what comes of it ---- */

static void
tell(struct sieve_report *report, const struct sieve_problem *problem)
{
	if (report->count == report->size) {
		size_t size = report->size > 0 ? report->size * 2 : 4;

		report->problems = arena_grow(report->arena, report->problems,
			sizeof(*report->problems), report->count, size);
		report->size = size;
	}
	report->problems[report->count++] = *problem;
	report->errors++;
}

/* The whole run: no place in the script is known. */
static void
tell_failure(struct sieve_report *report, const char *script, const char *what,
	const char *why)
{
	const struct sieve_problem problem = {.script = script,
		.line = 1,
		.column = 1,
		.text = arena_format(
			report->arena, "libsieve: %s%s", what, why)};

	tell(report, &problem);
}

static void
append(struct sieve_result *result, const struct answer *answer)
{
	size_t i;

	result->implicit_keep = answer->count == 0;
	result->keep_in_effect = answer->count == 0;
	for (i = 0; i < answer->count; i++)
		if (answer->actions[i].kind == SIEVE_KEEP)
			result->keep_in_effect = true;
	if (answer->count == 0)
		return;
	result->actions = arena_grow(result->arena, result->actions,
		sizeof(*result->actions), result->count,
		result->count + answer->count);
	result->size = result->count + answer->count;
	for (i = 0; i < answer->count; i++)
		result->actions[result->count++] = answer->actions[i];
}

static enum sieve_status
judge_answer(const struct evaluation *evaluation, struct str bytes,
	const char *end, struct sieve_result *result,
	struct sieve_report *report)
{
	const char *script =
		arena_text(report->arena, str_from(evaluation->script->name));
	struct answer answer;
	struct err err;
	size_t i;

	if (bytes.len == 0) {
		tell_failure(report, script, "its process ", end);
		return SIEVE_FAILED;
	}
	if (answer_read(result->arena, bytes, script, evaluation->settings,
		    &answer, &err) < 0) {
		tell_failure(report, script, "", err.detail);
		return SIEVE_FAILED;
	}
	for (i = 0; i < answer.problem_count; i++)
		tell(report, &answer.problems[i]);
	if (answer.problem_count > 0)
		return SIEVE_FAILED;
	append(result, &answer);
	return SIEVE_OK;
}

static struct child_limits
limits_of(const struct sieve_settings *settings)
{
	return (struct child_limits){
		.memory = settings->max_memory > 0 ? settings->max_memory
	                                           : DEFAULT_MEMORY,
		.cpu_s = CPU_S,
		.wall_ms = WALL_MS,
	};
}

static bool
is_too_long(const struct evaluation *evaluation)
{
	uint64_t most = evaluation->settings->max_script_size;

	return evaluation->script->text.len >
	       (most > 0 ? most : DEFAULT_SCRIPT);
}

static enum sieve_status
run_libsieve(const struct engine_script *script,
	const struct sieve_settings *settings, struct sieve_host *host,
	struct sieve_result *result, struct sieve_report *report,
	struct err *err)
{
	struct child_limits limits = limits_of(settings);
	struct evaluation evaluation = {.arena = result->arena,
		.script = script,
		.settings = settings,
		.host = host,
		.message = host->ops->message(host)};
	enum sieve_status status;
	struct child child;
	struct buf bytes;
	const char *end;
	bool is_child;

	if (is_too_long(&evaluation)) {
		tell_failure(
			report, script->name, "", "the script is too long");
		return SIEVE_FAILED;
	}
	if (child_start(&child, &limits, &is_child, err) < 0)
		return SIEVE_TEMPORARY;
	if (is_child)
		evaluate_in_child(&child, &evaluation);
	buf_init(&bytes, ANSWER_BYTES_MOST);
	child_wait(&child, result->arena, &bytes, &end);
	status = judge_answer(
		&evaluation, buf_view(&bytes), end, result, report);
	buf_clear(&bytes);
	return status;
}

/* Those of the library that the callbacks above stand for. */
static const char *const *
list_capabilities(size_t *count_out)
{
	static const char *const names[] = {"envelope", "fileinto",
		"imap4flags", "regex", "relational", "subaddress",
		"comparator-i;octet", "comparator-i;ascii-casemap",
		"comparator-i;ascii-numeric"};

	*count_out = ARRAY_LENGTH(names);
	return names;
}

const struct engine engine_libsieve = {
	.name = "libsieve",
	.capabilities = list_capabilities,
	.run = run_libsieve,
};
