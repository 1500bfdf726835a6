/* SPDX-License-Identifier: MIT */
#include "tests/unit/server/stage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/child.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { PATIENCE_MS = 20 * 1000 };

void
stage_give_front(struct stage *stage)
{
	struct wire_worker link = {.worker = 1};
	struct frame frame;
	struct err err;
	int fds[2];

	REQUIRE(channel_pair(fds) == 0);
	channel_close(&stage->front);
	channel_open(&stage->front, fds[0], true);
	link.fd = fds[1];
	frame_begin(&frame, WIRE_WORKER);
	wire_worker(&frame, &link);
	REQUIRE(channel_send(&stage->master, &frame, &err) == 0);
	close(fds[1]);
}

struct frame
stage_expect(struct stage *stage, struct channel *channel, unsigned type)
{
	struct frame frame;
	struct err err;

	REQUIRE(channel_wait(channel, clock_monotonic_ms() + PATIENCE_MS));
	REQUIRE(channel_receive(channel, stage->arena, &frame, &err) ==
		LOOKUP_FOUND);
	REQUIRE(frame.type == type);
	return frame;
}

static const struct settings *
load(const struct stage *stage)
{
	const char *overrides[] = {"hostname=mail.example.org",
		"message_max_size=1M",
		arena_format(stage->arena, "base_dir=%s", test_path("run"))};
	const struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LMTP,
		.overrides = overrides,
		.override_count = ARRAY_LENGTH(overrides)};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	REQUIRE(conf_load(stage->arena, &source, &settings, &report) == 0);
	return settings;
}

NO_RETURN static void
be_worker(struct stage *stage, int fd)
{
	struct child child = {.arena = stage->arena,
		.kind = WIRE_KIND_WORKER,
		.settings = load(stage)};
	int status;

	channel_open(&child.master, fd, true);
	log_open(&(struct log_settings){.path = test_path("log"),
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
	if (stage->before != NULL)
		stage->before();
	status = worker_main(&child);
	channel_close(&child.master);
	log_close();
	arena_close(&stage->arena);
	_exit(status);
}

void
stage_start(struct stage *stage)
{
	int fds[2];

	REQUIRE(channel_pair(fds) == 0);
	test_folder(); /* the same one for the child */
	fflush(NULL);
	stage->worker = fork();
	REQUIRE(stage->worker >= 0);
	if (stage->worker == 0) {
		close(fds[0]);
		be_worker(stage, fds[1]);
	}
	close(fds[1]);
	channel_open(&stage->master, fds[0], true);
}

void
stage_init(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	stage->arena = arena_open();
	stage->master.fd = stage->front.fd = -1;
}

void
stage_begin(struct stage *stage)
{
	stage_init(stage);
	stage_start(stage);
	stage_expect(stage, &stage->master, WIRE_READY);
	stage_give_front(stage);
}

int
stage_finish(struct stage *stage)
{
	int status;

	channel_close(&stage->front);
	channel_close(&stage->master);
	REQUIRE(waitpid(stage->worker, &status, 0) == stage->worker);
	arena_close(&stage->arena);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what master and front send ---- */

static struct wire_ticket
ticket(unsigned number)
{
	struct wire_ticket result = {{0}};

	result.bytes[0] = (unsigned char)number;
	return result;
}

static const char *
home(struct stage *stage, unsigned number)
{
	const char *path =
		arena_format(stage->arena, "%s/user%u", test_folder(), number);

	if (mkdir(path, 0700) < 0)
		REQUIRE(access(path, F_OK) == 0);
	return path;
}

struct str
stage_user(struct stage *stage, unsigned number)
{
	struct wire_user record = {
		.name = arena_format(stage->arena, "user%u", number),
		.home = home(stage, number)};

	return wire_user_pack(stage->arena, &record);
}

/* Users 1 to `count` have the tickets of their numbers. */
void
stage_assign(struct stage *stage, uint64_t job, unsigned count)
{
	stage_assign_some(stage, job, 1, count, false);
}

void
stage_assign_some(struct stage *stage, uint64_t job, unsigned first,
	unsigned last, bool more)
{
	unsigned i;

	for (i = first; i <= last; i++) {
		struct wire_assign_item item = {
			.ticket = ticket(i), .user = stage_user(stage, i)};
		struct wire_assign frame_of = {.job = job,
			.items = &item,
			.count = 1,
			.more = more || i < last};
		struct frame frame;
		struct err err;

		frame_begin(&frame, WIRE_ASSIGN);
		wire_assign(&frame, &frame_of);
		REQUIRE(channel_send(&stage->master, &frame, &err) == 0);
	}
}

void
stage_recipients(struct stage *stage, uint64_t job, unsigned count)
{
	stage_recipients_some(stage, job, 1, count);
}

void
stage_recipients_some(
	struct stage *stage, uint64_t job, unsigned first, unsigned last)
{
	unsigned count = last - first + 1;
	struct wire_job_recipient *items =
		ARENA_ARRAY(stage->arena, struct wire_job_recipient, count);
	struct wire_job_recipients all = {
		.job = job, .recipients = items, .count = count};
	struct frame frame;
	struct err err;
	unsigned i;

	for (i = 0; i < count; i++) {
		items[i].ticket = ticket(first + i);
		items[i].path = str_from(arena_format(
			stage->arena, "user%u@example.org", first + i));
		items[i].session = "SESSION:R2";
	}
	frame_begin(&frame, WIRE_JOB_RECIPIENTS);
	wire_job_recipients(&frame, &all);
	REQUIRE(channel_send(&stage->front, &frame, &err) == 0);
}

struct wire_job
stage_letter(uint64_t job, unsigned recipients)
{
	static const char text[] = "Message-ID: <1@example.org>\n\ntext\n";

	return (struct wire_job){.job = job,
		.session = "SESSION",
		.sender = STR("ada@partner.example"),
		.client = {.helo = STR("mx.example.org"),
			.protocol = STR("LMTP")},
		.recipients = recipients,
		.size = strlen(text),
		.file = -1,
		.message = str_from(text)};
}

void
stage_job(struct stage *stage, struct wire_job *job)
{
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_JOB);
	wire_job(&frame, job);
	REQUIRE(channel_send(&stage->front, &frame, &err) == 0);
}

void
stage_number(struct channel *channel, unsigned type, uint64_t job)
{
	struct wire_job_number number = {.job = job};
	struct frame frame;
	struct err err;

	frame_begin(&frame, type);
	wire_job_number(&frame, &number);
	REQUIRE(channel_send(channel, &frame, &err) == 0);
}

struct wire_result
stage_result(struct stage *stage, uint64_t job, size_t count)
{
	struct frame frame = stage_expect(stage, &stage->front, WIRE_RESULT);
	struct wire_result result = {0};

	wire_result(&frame, &result);
	REQUIRE(frame_is_whole(&frame));
	CHECK_UINT(result.job, job);
	CHECK(result.is_last);
	REQUIRE(result.count == count);
	return result;
}

void
stage_idle(struct stage *stage, uint64_t job)
{
	struct frame frame = stage_expect(stage, &stage->master, WIRE_IDLE);
	struct wire_idle idle = {0};

	wire_idle(&frame, &idle);
	CHECK_UINT(idle.job, job);
}

/* A whole job, with one result for all. */
void
stage_deliver(struct stage *stage, uint64_t job, unsigned count,
	enum wire_outcome outcome)
{
	struct wire_job message = stage_letter(job, count);
	struct wire_result result;
	unsigned i;

	stage_assign(stage, job, count);
	stage_recipients(stage, job, count);
	stage_job(stage, &message);
	result = stage_result(stage, job, count);
	for (i = 0; i < count; i++)
		CHECK_INT(result.results[i].outcome, outcome);
	stage_idle(stage, job);
}
