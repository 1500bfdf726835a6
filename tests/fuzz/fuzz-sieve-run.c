/* fuzz-sieve-run - compiles and evaluates under small limits
 *
 * The input is a script, a NUL byte and a message.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>

#include "base/arena.h"
#include "mail/address.h"
#include "mail/message.h"
#include "sieve/sieve.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 200 * 1000 };

struct fuzz_host {
	struct sieve_host host;
	struct arena *arena;
	struct message *message;
};

static const struct message *
answer_message(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct fuzz_host, host)->message;
}

static bool
answer_envelope(struct sieve_host *host, enum sieve_envelope_part part,
	struct address *address_out)
{
	struct fuzz_host *fuzz = CONTAINER_OF(host, struct fuzz_host, host);
	struct err err;

	if (part == SIEVE_ENVELOPE_FROM) {
		*address_out = (struct address){.is_null = true};
		return true;
	}
	return address_parse_path(fuzz->arena, STR("<amy+lists@example.org>"),
		       0, address_out, &err) == 0;
}

static enum lookup
answer_mailbox_exists(
	struct sieve_host *host UNUSED, struct str mailbox, struct err *err)
{
	if (str_is(mailbox, "trouble")) {
		err_temp(err, "4.3.0", "as asked");
		return LOOKUP_ERROR;
	}
	return mailbox.len % 2 == 0 ? LOOKUP_FOUND : LOOKUP_NONE;
}

static void
take_trace(struct sieve_host *host, const struct sieve_trace_event *event)
{
	struct fuzz_host *fuzz = CONTAINER_OF(host, struct fuzz_host, host);
	struct arena_mark mark = arena_mark(fuzz->arena);

	if (event->line == 0 || sieve_trace_text(fuzz->arena, event).len == 0)
		abort();
	arena_release(fuzz->arena, mark);
}

static const struct sieve_host_ops ops[] = {
	{
		.message = answer_message,
		.envelope = answer_envelope,
		.mailbox_exists = answer_mailbox_exists,
	},
	{
		.message = answer_message,
		.envelope = answer_envelope,
		.mailbox_exists = answer_mailbox_exists,
		.trace = take_trace,
	},
};

/* Whatever happens, the message goes somewhere or a script threw it away. */
static void
check_result(const struct sieve_result *result, enum sieve_status status)
{
	if (status != SIEVE_OK && !result->implicit_keep)
		abort();
	if (result->count == 0 && !result->implicit_keep)
		abort();
	if (result->count > 3)
		abort();
}

static enum sieve_status
run(struct fuzz_host *fuzz, const struct sieve_program *program)
{
	const struct sieve_settings settings = {.max_actions = 3,
		.max_redirects = 2,
		.max_variable_size = 100,
		.max_steps = 500,
		.max_memory = MEMORY};
	struct sieve_result result = {.arena = arena_open()};
	struct sieve_report report;
	enum sieve_status status;
	struct err err;
	size_t i;

	sieve_report_init(&report, result.arena);
	status = sieve_run(
		program, &settings, &fuzz->host, &result, &report, &err);
	check_result(&result, status);
	if ((status == SIEVE_FAILED) != (report.errors > 0))
		abort();
	for (i = 0; i < result.count; i++)
		if (sieve_action_text(result.arena, &result.actions[i]).len ==
			0)
			abort();
	arena_close(&result.arena);
	return status;
}

static void
run_both_ways(struct fuzz_host *fuzz, const struct sieve_program *program)
{
	enum sieve_status first, second;

	fuzz->host.ops = &ops[0];
	first = run(fuzz, program);
	second = run(fuzz, program);
	/* Steps and memory are counted: the same run ends in the same way. */
	if (first != second)
		abort();
	fuzz->host.ops = &ops[1];
	(void)run(fuzz, program);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct message_limits limits = {.memory_bytes = 1 << 20,
		.header_bytes = 1 << 20,
		.header_fields = 1000,
		.temp_folder = "/tmp"};
	struct str input = str_of((const char *)data, size);
	size_t end = str_find_char(input, '\0');
	struct fuzz_host fuzz = {.arena = arena_open()};
	struct sieve_program *program;
	struct sieve_report report;
	struct err err;

	sieve_report_init(&report, fuzz.arena);
	if (sieve_compile(fuzz.arena, NULL, "fuzz", str_slice(input, 0, end),
		    &program, &report) == 0 &&
		message_open_bytes(str_skip(input, end + 1), &limits,
			&fuzz.message, &err) == 0) {
		run_both_ways(&fuzz, program);
		message_close(&fuzz.message);
	}
	arena_close(&fuzz.arena);
	return 0;
}
