/* The commands and tests of the language: what each does to the world
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "base/number.h"
#include "mail/date.h"
#include "sieve/ext/testsuite.h"
#include "tests/svtest/world.h"

#include "base/banned.h"

static enum sieve_status
refuse(struct testsuite_request *request, const char *problem)
{
	request->problem = problem;
	return SIEVE_FAILED;
}

/* ---- test, test_fail ---- */

static void
print_verdict(const struct world *world, const char *verdict)
{
	printf("%3zu: %s: %s\n", world->tests,
		world->test != NULL ? world->test : "(outside of a test)",
		verdict);
}

void
world_fail_test(struct world *world, const char *reason)
{
	if (world->runs_subject) {
		world->has_subject_failed = true;
		return;
	}
	world->failures++;
	print_verdict(world, arena_format(world->arena, "FAILED: %s", reason));
	world->test = NULL;
}

void
world_pass_test(struct world *world)
{
	world->passed++;
	print_verdict(world, "SUCCEEDED");
	world->test = NULL;
}

static enum sieve_status
obey_test(struct world *world, struct testsuite_request *request)
{
	if (world->runs_subject)
		return SIEVE_OK;
	if (!request->is_end) {
		world->tests++;
		world->test = arena_text(world->arena, request->texts[0]);
		return SIEVE_OK;
	}
	world_pass_test(world);
	return SIEVE_OK;
}

static enum sieve_status
obey_fail(struct world *world, struct testsuite_request *request)
{
	world_fail_test(world, arena_text(world->arena, request->texts[0]));
	return SIEVE_OK;
}

/* ---- test_set, test_message ---- */

static bool
take_sent(struct world *world, uint64_t index)
{
	struct str from, to, text;
	struct err err;

	if (index > sent_count(world) ||
		sent_read(world, world->first_sent + (size_t)index, &from, &to,
			&text) != LOOKUP_FOUND ||
		world_set_message(world, text, &err) < 0)
		return false;
	world_set_envelope(world, STR("envelope.from"), from);
	world_set_envelope(world, STR("envelope.to"), to);
	return true;
}

/* "Fri, 04 Jul 2025 10:00:00 +0200", an ISO date, or seconds since 1970. */
static enum sieve_status
set_clock(struct world *world, struct testsuite_request *request,
	struct str value)
{
	struct date date;
	uint64_t seconds;

	if (number_parse(value, &seconds) == 0)
		world->now = (int64_t)seconds;
	else if (date_parse(value, &date))
		world->now = date_seconds(&date);
	else
		return refuse(request, "the date cannot be read");
	world->has_now = true;
	return SIEVE_OK;
}

/* test_set "message" :smtp N; N does not matter. */
static enum sieve_status
take_latest(struct world *world, struct testsuite_request *request)
{
	size_t count = sent_count(world);

	if (!str_is_nocase(request->texts[0], "message") ||
		count <= world->first_sent ||
		!take_sent(world, count - 1 - world->first_sent))
		return refuse(request, "there is no sent message");
	return SIEVE_OK;
}

static enum sieve_status
obey_set(struct world *world, struct testsuite_request *request)
{
	struct str object = request->texts[0];
	struct str value = request->has_smtp ? STR_EMPTY : request->texts[1];
	struct err err;

	if (request->has_smtp)
		return take_latest(world, request);
	if (str_is_nocase(object, "message")) {
		if (world_set_message(world, value, &err) < 0)
			return refuse(request,
				arena_text(world->arena, str_from(err.text)));
		return SIEVE_OK;
	}
	if (str_is_nocase(object, "currentdate"))
		return set_clock(world, request, value);
	if (str_is_nocase(object, "envelope.from") ||
		str_is_nocase(object, "envelope.to") ||
		str_is_nocase(object, "envelope.orig_to")) {
		world_set_envelope(world, object, value);
		return SIEVE_OK;
	}
	if (world_set_envelope_text(world, object, value))
		return SIEVE_OK;
	return refuse(request,
		arena_format(world->arena, "%.*s cannot be set by this runner",
			STR_ARG(object)));
}

static bool
take_stored(struct world *world, struct str mailbox, uint64_t index)
{
	struct sieve_flags flags;
	struct str text;
	struct err err;
	enum lookup found = mailbox_read(world, mailbox, index, &text, &flags);

	if (found == LOOKUP_ERROR)
		world_set_default_message(world);
	if (found != LOOKUP_FOUND || world_set_message(world, text, &err) < 0)
		return false;
	world_set_flags(world, flags);
	return true;
}

/* Stalwart's dialect asks whether there is any; nothing is loaded. */
static bool
has_any(struct world *world, const struct testsuite_request *request)
{
	struct sieve_flags flags;
	struct str text;

	if (request->has_smtp)
		return sent_count(world) > world->first_sent;
	return mailbox_read(world, request->tag_text, 0, &text, &flags) ==
	       LOOKUP_FOUND;
}

static bool
find_message(struct world *world, const struct testsuite_request *request)
{
	if (world->is_stalwart)
		return has_any(world, request);
	return request->has_smtp
	               ? take_sent(world, request->number)
	               : take_stored(world, request->tag_text, request->number);
}

static enum sieve_status
obey_message(struct world *world, struct testsuite_request *request)
{
	request->answer = find_message(world, request);
	if (request->answer || request->command == COMMAND_TEST_MESSAGE_TEST)
		return SIEVE_OK;
	world_fail_test(world,
		request->has_smtp
			? arena_format(world->arena, "no outgoing message %llu",
				  (unsigned long long)request->number)
			: arena_format(world->arena,
				  "no message %llu in mailbox '%.*s'",
				  (unsigned long long)request->number,
				  STR_ARG(request->tag_text)));
	return SIEVE_OK;
}

static enum sieve_status
obey_message_print(struct world *world, struct testsuite_request *request)
{
	struct str text = world_message_text(world);

	(void)request;
	fwrite(text.data, 1, text.len, stdout);
	return SIEVE_OK;
}

static enum sieve_status
obey_assert_message(struct world *world, struct testsuite_request *request)
{
	request->answer =
		str_equal(world_message_text(world), request->texts[0]);
	if (!request->answer && request->command == COMMAND_TEST_ASSERT_MESSAGE)
		world_fail_test(world, "the message is another one");
	return SIEVE_OK;
}

/* ---- settings ---- */

static enum sieve_status
reload(struct world *world, struct testsuite_request *request)
{
	const char *problem = settings_load(world);

	if (problem != NULL)
		return refuse(request, problem);
	request->settings =
		world->runs_subject ? &world->sieve : &world->main_sieve;
	return SIEVE_OK;
}

static enum sieve_status
obey_config_set(struct world *world, struct testsuite_request *request)
{
	const char *problem =
		settings_set(world, request->texts[0], request->texts[1]);

	if (problem != NULL)
		return refuse(request, problem);
	return world->is_stalwart ? reload(world, request) : SIEVE_OK;
}

static enum sieve_status
obey_config_unset(struct world *world, struct testsuite_request *request)
{
	const char *problem = settings_unset(world, request->texts[0]);

	return problem != NULL ? refuse(request, problem) : SIEVE_OK;
}

static enum sieve_status
obey_config_reload(struct world *world, struct testsuite_request *request)
{
	if (request->has_tag_text &&
		!settings_know_extension(request->tag_text))
		return refuse(request,
			arena_format(world->arena, "there is no extension %.*s",
				STR_ARG(request->tag_text)));
	return reload(world, request);
}

/* ---- results ---- */

static enum sieve_status
obey_result_reset(struct world *world, struct testsuite_request *request)
{
	(void)request;
	outcome_reset(world);
	world->first_sent = sent_count(world);
	return SIEVE_OK;
}

static enum sieve_status
obey_result_print(struct world *world, struct testsuite_request *request)
{
	(void)request;
	outcome_print(world);
	return SIEVE_OK;
}

static enum sieve_status
obey_result_execute(struct world *world, struct testsuite_request *request)
{
	errors_clear(world);
	request->answer = outcome_execute(world);
	return SIEVE_OK;
}

static enum sieve_status
obey_result_action(struct world *world, struct testsuite_request *request)
{
	if (request->has_text) {
		request->values = outcome_texts(world, &request->value_count);
		return SIEVE_OK;
	}
	request->values = request->has_action
	                          ? outcome_targets(world, request->texts[0],
					    &request->value_count)
	                          : outcome_names(world, &request->value_count);
	return SIEVE_OK;
}

static enum sieve_status
obey_action_count(struct world *world, struct testsuite_request *request)
{
	uint64_t expected = request->number;
	size_t count;

	if (request->text_count > 0 &&
		number_parse(request->texts[0], &expected) < 0)
		return refuse(request, "the count is no number");
	outcome_names(world, &count);
	request->answer = count == expected;
	return SIEVE_OK;
}

static enum sieve_status
obey_error(struct world *world, struct testsuite_request *request)
{
	request->values = errors_list(world, request->is_located);
	request->value_count = world->error_count;
	request->is_lenient = world->options->has_lenient_errors;
	return SIEVE_OK;
}

/* ---- mailboxes ---- */

static enum sieve_status
obey_mailbox_create(struct world *world, struct testsuite_request *request)
{
	const char *problem = mailbox_create(world, request->texts[0]);

	return problem != NULL ? refuse(request, problem) : SIEVE_OK;
}

static enum sieve_status
obey_mailbox_delete(struct world *world, struct testsuite_request *request)
{
	request->answer = false;
	world_fail_test(world, "test_mailbox_delete is reserved");
	return SIEVE_OK;
}

static enum sieve_status
obey_metadata_set(struct world *world, struct testsuite_request *request)
{
	const char *problem = metadata_set(world,
		request->has_tag_text ? &request->tag_text : NULL,
		request->texts[0], request->texts[1]);

	return problem != NULL ? refuse(request, problem) : SIEVE_OK;
}

/* ---- scripts ---- */

static enum sieve_status
obey_script_compile(struct world *world, struct testsuite_request *request)
{
	errors_clear(world);
	request->answer =
		request->has_script
			? script_compile_text(world, request->texts[0])
			: script_compile(world, request->texts[0]);
	return SIEVE_OK;
}

static enum sieve_status
obey_script_run(struct world *world, struct testsuite_request *request)
{
	errors_clear(world);
	request->answer = script_run(world, request->appends);
	return SIEVE_OK;
}

static enum sieve_status
obey_multiscript(struct world *world, struct testsuite_request *request)
{
	const struct str *paths = request->texts;

	errors_clear(world);
	if (request->has_script && script_write_all(world, request->texts,
					   request->text_count, &paths) < 0)
		return refuse(request, "the scripts cannot be written");
	request->answer = script_sequence(world, paths, request->text_count);
	return SIEVE_OK;
}

static enum sieve_status
obey_binary_save(struct world *world, struct testsuite_request *request)
{
	if (world->subject == NULL)
		return refuse(request, "no script was compiled");
	script_save(world, request->texts[0]);
	return SIEVE_OK;
}

static enum sieve_status
obey_binary_load(struct world *world, struct testsuite_request *request)
{
	if (!script_load(world, request->texts[0]))
		return refuse(request, "nothing was saved under that name");
	return SIEVE_OK;
}

/* ---- all of them ---- */

typedef enum sieve_status order(
	struct world *world, struct testsuite_request *request);

static order *const orders[COMMAND_COUNT] = {
	[COMMAND_TEST_BLOCK] = obey_test,
	[COMMAND_TEST_FAIL] = obey_fail,
	[COMMAND_TEST_SET] = obey_set,
	[COMMAND_TEST_MESSAGE] = obey_message,
	[COMMAND_TEST_MESSAGE_TEST] = obey_message,
	[COMMAND_TEST_MESSAGE_PRINT] = obey_message_print,
	[COMMAND_TEST_CONFIG_SET] = obey_config_set,
	[COMMAND_TEST_CONFIG_UNSET] = obey_config_unset,
	[COMMAND_TEST_CONFIG_RELOAD] = obey_config_reload,
	[COMMAND_TEST_RESULT_RESET] = obey_result_reset,
	[COMMAND_TEST_RESULT_PRINT] = obey_result_print,
	[COMMAND_TEST_MAILBOX_CREATE] = obey_mailbox_create,
	[COMMAND_TEST_MAILBOX_DELETE] = obey_mailbox_delete,
	[COMMAND_TEST_IMAP_METADATA_SET] = obey_metadata_set,
	[COMMAND_TEST_BINARY_SAVE] = obey_binary_save,
	[COMMAND_TEST_BINARY_LOAD] = obey_binary_load,
	[COMMAND_TEST_SCRIPT_COMPILE] = obey_script_compile,
	[COMMAND_TEST_SCRIPT_RUN] = obey_script_run,
	[COMMAND_TEST_MULTISCRIPT] = obey_multiscript,
	[COMMAND_TEST_RESULT_EXECUTE] = obey_result_execute,
	[COMMAND_TEST_RESULT_ACTION] = obey_result_action,
	[COMMAND_TEST_ERROR] = obey_error,
	[COMMAND_TEST_ASSERT_MESSAGE] = obey_assert_message,
	[COMMAND_TEST_ASSERT_MESSAGE_TEST] = obey_assert_message,
	[COMMAND_TEST_RESULT_ACTION_COUNT] = obey_action_count,
};

enum sieve_status
world_obey(struct sieve_host *host, struct testsuite_request *request,
	struct err *err)
{
	(void)err;
	return orders[request->command](world_of(host), request);
}
