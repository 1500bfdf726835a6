/* Who gets what when a delivery is over
 *
 * SPDX-License-Identifier: MIT
 */
#include "deliver/notices.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mail/letter.h"
#include "deliver/work.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { MOST = 2 };

/* A job whose deliveries are over. */
struct world {
	struct arena *arena;
	struct message *message;
	struct job job;
	struct delivery deliveries[MOST];
	const char *log;
};

static const struct settings *
load(struct arena *arena, const char *sendmail)
{
	const char *overrides[] = {
		arena_format(arena, "sendmail_path=%s", sendmail),
		"submission_timeout=2s"};
	const struct conf_source source = {.only_defaults = true,
		.protocol = CONF_PROTOCOL_LDA,
		.overrides = overrides,
		.override_count = ARRAY_LENGTH(overrides)};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

/* A sendmail that writes into `sent` what it is given, then does `more`. */
static const char *
sendmail(struct world *world, const char *more)
{
	const char *path = test_path("sendmail");

	test_file("sendmail",
		arena_format(world->arena,
			"#!/bin/sh\n{ echo \"$*\"; cat; } >>%s\n%s\n",
			test_path("sent"), more));
	REQUIRE(chmod(path, 0700) == 0);
	return path;
}

static void
begin(struct world *world, const char *more)
{
	static const struct message_limits limits = {.memory_bytes = 131072,
		.header_bytes = 1048576,
		.header_fields = 1000};
	struct err err;
	size_t d;

	memset(world, 0, sizeof(*world));
	world->arena = arena_open();
	REQUIRE(message_open_bytes(STR("Message-ID: <1@a.test>\n\nx\n"),
			&limits, &world->message, &err) == 0);
	world->log = test_path("log");
	log_open(&(struct log_settings){.path = world->log,
		.info_path = "",
		.debug_path = "",
		.facility = "mail",
		.timestamp = ""});
	world->job = (struct job){.arena = world->arena,
		.message = world->message,
		.service = "lda",
		.session = "S",
		.work = ARENA_NEW(world->arena, struct job_work),
		.deliveries = world->deliveries,
		.count = MOST};
	for (d = 0; d < MOST; d++)
		world->deliveries[d] = (struct delivery){
			.user = d == 0 ? "amy" : "bob",
			.settings = load(world->arena, sendmail(world, more)),
			.outcome = DELIVER_SAVED,
			.work = ARENA_NEW(world->arena, struct delivery_work)};
}

static void
finish(struct world *world)
{
	message_close(&world->message);
	log_close();
	arena_close(&world->arena);
}

static void
add(struct world *world, size_t d, const char *sender, const char *recipient,
	const char *text)
{
	struct str *to = ARENA_NEW(world->arena, struct str);

	*to = str_from(recipient);
	notices_add(&world->job, &world->deliveries[d],
		&(struct notice){.what = "test notice",
			.sender = str_from(sender),
			.recipients = to,
			.count = 1,
			.content = letter_text(
				world->arena, world->message, str_from(text))});
}

/* ---- a memory ---- */

static bool memory_is_down, memory_has_it;
static size_t claimed, given_back;

static enum lookup
fake_claim(const struct job *job UNUSED, const struct seen_mark *mark UNUSED,
	struct err *err)
{
	claimed++;
	if (memory_is_down) {
		err_temp(err, "4.3.0", "nobody there");
		return LOOKUP_ERROR;
	}
	return memory_has_it ? LOOKUP_NONE : LOOKUP_FOUND;
}

static int
fake_keep(const struct job *job UNUSED, const struct seen_mark *marks,
	size_t count, struct err *err UNUSED)
{
	if (count == 1 && marks->expires_s <= (uint64_t)clock_now().tv_sec)
		given_back++;
	return 0;
}

static const struct job_seen memory = {.keep = fake_keep, .claim = fake_claim};

/* The last one of the first delivery. */
static void
make_single(struct world *world)
{
	static const struct sieve_mark mark = {.seconds = 1000};
	struct work_notices *notices = &world->deliveries[0].work->notices;

	world->job.seen = &memory;
	notices->items[notices->count - 1].once = &mark;
}

static void
hand_over(struct world *world)
{
	struct job *job = &world->job;

	notices_hand_over(&job, 1);
}

static struct str
sent(void)
{
	return access(test_path("sent"), F_OK) == 0
	               ? test_read(test_path("sent"))
	               : STR_EMPTY;
}

static bool
has_logged(const struct world *world, const char *text)
{
	struct str log = test_read(world->log);

	return str_find(log, str_from(text)) < log.len;
}

#define HEAD "Content-Type: text/plain; charset=utf-8\n\n"

TEST(notices_leave_in_their_order)
{
	struct world world;

	begin(&world, "");
	add(&world, 0, "", "ada@p.test", "one");
	add(&world, 0, "amy@e.test", "bo@p.test", "two");
	add(&world, 1, "", "cy@p.test", "three");
	hand_over(&world);
	CHECK_STR_IS(sent(), "-i -f <> -- ada@p.test\n" HEAD "one\n"
			     "-i -f amy@e.test -- bo@p.test\n" HEAD "two\n"
			     "-i -f <> -- cy@p.test\n" HEAD "three\n");
	CHECK(has_logged(&world,
		"msgid=<1@a.test>: sent test notice to <ada@p.test>\n"));
	finish(&world);
}

TEST(nobody_is_told_of_what_did_not_happen)
{
	struct world world;

	begin(&world, "");
	add(&world, 0, "", "ada@p.test", "one");
	add(&world, 1, "", "bo@p.test", "two");
	world.deliveries[0].outcome = DELIVER_FAILED;
	world.deliveries[1].work->is_repeated = true;
	hand_over(&world);
	CHECK_STR_IS(sent(), "");
	finish(&world);
}

TEST(a_discarded_message_is_told_of)
{
	struct world world;

	begin(&world, "");
	world.deliveries[0].outcome = DELIVER_DISCARDED;
	add(&world, 0, "", "ada@p.test", "one");
	hand_over(&world);
	CHECK_STR_IS(sent(), "-i -f <> -- ada@p.test\n" HEAD "one\n");
	finish(&world);
}

TEST(what_fails_is_logged_and_the_next_one_leaves)
{
	struct world world;

	begin(&world, "case \"$*\" in *ada*) echo no; exit 75;; esac");
	add(&world, 0, "", "ada@p.test", "one");
	add(&world, 0, "", "bo@p.test", "two");
	hand_over(&world);
	CHECK(str_find(sent(), STR("bo@p.test")) < sent().len);
	CHECK(has_logged(
		&world, "failed to send test notice to <ada@p.test>: "));
	CHECK(has_logged(&world, "sent test notice to <bo@p.test>"));
	CHECK_INT(world.deliveries[0].outcome, DELIVER_SAVED);
	finish(&world);
}

TEST(what_was_claimed_is_sent)
{
	struct world world;

	begin(&world, "");
	add(&world, 0, "", "ada@p.test", "one");
	make_single(&world);
	hand_over(&world);
	CHECK_STR_IS(sent(), "-i -f <> -- ada@p.test\n" HEAD "one\n");
	CHECK_UINT(claimed, 1);
	CHECK_UINT(given_back, 0);
	finish(&world);
}

TEST(what_another_delivery_has_claimed_is_not_sent)
{
	struct world world;

	begin(&world, "");
	add(&world, 0, "", "ada@p.test", "one");
	make_single(&world);
	memory_has_it = true;
	hand_over(&world);
	CHECK_STR_IS(sent(), "");
	finish(&world);
}

TEST(what_cannot_be_remembered_is_not_sent)
{
	struct world world;

	begin(&world, "");
	add(&world, 0, "", "ada@p.test", "one");
	make_single(&world);
	memory_is_down = true;
	hand_over(&world);
	CHECK_STR_IS(sent(), "");
	CHECK(has_logged(&world, "cannot be remembered: nobody there"));
	finish(&world);
}

TEST(what_could_not_be_sent_is_given_back)
{
	struct world world;

	begin(&world, "exit 75");
	add(&world, 0, "", "ada@p.test", "one");
	make_single(&world);
	hand_over(&world);
	CHECK_UINT(claimed, 1);
	CHECK_UINT(given_back, 1);
	finish(&world);
}

TEST(nothing_is_claimed_for_a_delivery_that_failed)
{
	struct world world;

	begin(&world, "");
	add(&world, 0, "", "ada@p.test", "one");
	make_single(&world);
	world.deliveries[0].outcome = DELIVER_FAILED;
	hand_over(&world);
	CHECK_UINT(claimed, 0);
	finish(&world);
}
