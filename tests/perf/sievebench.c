/* sievebench - what our engine and libsieve cost, many times in one process
 *
 *	sievebench compile N SCRIPT
 *	sievebench native|libsieve N SCRIPT MESSAGE
 *
 * Compiles the script N times, or opens the message and judges it N times: native
 * by one compiled program, libsieve as a delivery would, from the text, in a child
 * of its own.  Prints the microseconds of CPU time of all N, children included.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/number.h"
#include "mail/message.h"
#include "sieve/sieve.h"
#include "engine/engine.h"

#include "base/banned.h"

#define MOST_BYTES ((size_t)64 << 20)

struct bench {
	struct sieve_host host;
	struct arena *arena;
	struct message *message;
	struct buf script, mail;
	const struct sieve_program *program;
	const struct engine *engine; /* NULL: the program */
};

static const struct sieve_settings settings;

static const struct message *
answer_message(struct sieve_host *host)
{
	return CONTAINER_OF(host, struct bench, host)->message;
}

static bool
answer_envelope(struct sieve_host *host, enum sieve_envelope_part part,
	struct address *address_out)
{
	(void)host;
	*address_out = (struct address){.local_part = STR("amy"),
		.domain = STR("example.test"),
		.text = STR("amy@example.test")};
	return part == SIEVE_ENVELOPE_TO;
}

static enum lookup
answer_mailbox_exists(
	struct sieve_host *host, struct str mailbox, struct err *err)
{
	(void)host;
	(void)mailbox;
	(void)err;
	return LOOKUP_FOUND;
}

static const struct sieve_host_ops ops = {
	.message = answer_message,
	.envelope = answer_envelope,
	.mailbox_exists = answer_mailbox_exists,
};

NO_RETURN static void
fail(const char *what)
{
	fprintf(stderr, "sievebench: %s\n", what);
	exit(1);
}

static struct sieve_program *
compile(struct bench *bench)
{
	struct sieve_program *program;
	struct sieve_report report;

	sieve_report_init(&report, bench->arena);
	if (sieve_compile(bench->arena, &settings, "bench",
		    buf_view(&bench->script), &program, &report) < 0)
		fail(report.problems[0].text);
	return program;
}

static enum sieve_status
run(struct bench *bench, struct sieve_result *result,
	struct sieve_report *report, struct err *err)
{
	const struct engine_script script = {
		.name = "bench", .text = buf_view(&bench->script)};

	if (bench->engine == NULL)
		return sieve_run(bench->program, &settings, &bench->host,
			result, report, err);
	return engine_run(bench->engine, &script, &settings, &bench->host,
		result, report, err);
}

static void
judge(struct bench *bench)
{
	static const struct message_limits limits = {.memory_bytes = MOST_BYTES,
		.header_bytes = 16 << 20,
		.header_fields = 100000,
		.temp_folder = "/tmp"};
	struct sieve_result result = {.arena = bench->arena};
	struct sieve_report report;
	struct err err;

	sieve_report_init(&report, bench->arena);
	if (message_open_bytes(
		    buf_view(&bench->mail), &limits, &bench->message, &err) < 0)
		fail(err_log_text(&err));
	switch (run(bench, &result, &report, &err)) {
	case SIEVE_OK:
		break;
	case SIEVE_FAILED:
		fail(report.problems[0].text);
	case SIEVE_TEMPORARY:
		fail(err_log_text(&err));
	}
	message_close(&bench->message);
}

static void
repeat(struct bench *bench, uint64_t count, void (*step)(struct bench *))
{
	while (count-- > 0) {
		struct arena_mark mark = arena_mark(bench->arena);

		step(bench);
		arena_release(bench->arena, mark);
	}
}

static void
compile_once(struct bench *bench)
{
	compile(bench);
}

static uint64_t
microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static uint64_t
used_us(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage) < 0)
		fail("getrusage");
	return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

static uint64_t
all_used_us(void)
{
	return used_us(RUSAGE_SELF) + used_us(RUSAGE_CHILDREN);
}

static void
read_file(const char *path, struct buf *bytes)
{
	buf_init(bytes, MOST_BYTES);
	if (fd_read_file(path, bytes) < 0)
		fail(path);
}

int
main(int argc, char **argv)
{
	struct bench bench = {.host = {.ops = &ops}};
	void (*step)(struct bench *) = compile_once;
	uint64_t count, begin;

	if (argc < 4 || number_parse(str_from(argv[2]), &count) < 0)
		fail("usage: compile|native|libsieve N SCRIPT [MESSAGE]");
	memory_keep(); /* as a worker does */
	bench.arena = arena_open();
	read_file(argv[3], &bench.script);
	if (strcmp(argv[1], "compile") != 0) {
		if (argc < 5)
			fail("no message");
		read_file(argv[4], &bench.mail);
		step = judge;
		if (strcmp(argv[1], "native") == 0)
			bench.program = compile(&bench);
		else if ((bench.engine = engine_find(argv[1])) == NULL)
			fail("there is no such engine");
	}
	repeat(&bench, 1, step); /* warm */
	begin = all_used_us();
	repeat(&bench, count, step);
	printf("%" PRIu64 "\n", all_used_us() - begin);
	return 0;
}
