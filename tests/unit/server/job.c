/* From frames to a job of the core, and back
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/job.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/lib/test.h"

#include "base/banned.h"

static const struct settings *
load(struct arena *arena)
{
	const struct conf_source source = {
		.only_defaults = true, .protocol = CONF_PROTOCOL_LMTP};
	const struct settings *settings = NULL;
	struct conf_report report = {0};

	REQUIRE(conf_load(arena, &source, &settings, &report) == 0);
	return settings;
}

static struct wire_ticket
ticket(unsigned number)
{
	struct wire_ticket result = {{0}};

	result.bytes[0] = (unsigned char)number;
	result.bytes[1] = (unsigned char)(number >> 8);
	return result;
}

static struct assignment
begin(void)
{
	struct arena *arena = arena_open();
	struct assignment assignment;

	assignment_init(&assignment, arena, load(arena));
	return assignment;
}

static void
finish(struct assignment *assignment)
{
	struct arena *arena = assignment->arena;

	assignment_clear(assignment);
	arena_close(&arena);
}

static struct err err;

/* Master's half: user NAME has ticket `number`. */
static int
assign_packed(struct assignment *assignment, unsigned number, struct str packed)
{
	struct wire_assign_item item = {
		.ticket = ticket(number), .user = packed};
	const struct wire_assign assign = {
		.job = 7, .items = &item, .count = 1};

	return assignment_add_users(assignment, &assign, &err);
}

static void
assign_with(struct assignment *assignment, unsigned number, const char *name,
	const char *detail, struct wire_field *fields, size_t field_count)
{
	struct wire_user user = {.name = name,
		.home = "/home",
		.detail = str_from(detail),
		.fields = fields,
		.field_count = field_count};

	REQUIRE(assign_packed(assignment, number,
			wire_user_pack(assignment->arena, &user)) == 0);
}

static void
assign(struct assignment *assignment, unsigned number, const char *name)
{
	assign_with(assignment, number, name, "", NULL, 0);
}

/* The front's. */
static int
add(struct assignment *assignment, uint64_t job, unsigned number,
	const char *path, const char *original)
{
	struct wire_job_recipient recipient = {.ticket = ticket(number),
		.path = str_from(path),
		.original = str_from(original),
		.session = "S:R2"};
	const struct wire_job_recipients recipients = {
		.job = job, .recipients = &recipient, .count = 1};

	return assignment_add_recipients(assignment, &recipients, &err);
}

static struct wire_job
job_of(const char *message)
{
	return (struct wire_job){.job = 7,
		.session = "S",
		.sender = STR("ada@partner.example"),
		.client = {.helo = STR("mx"), .protocol = STR("LMTPS")},
		.recipients = 1,
		.size = strlen(message),
		.file = -1,
		.message = str_from(message)};
}

static int
start(struct assignment *assignment)
{
	struct wire_job job = job_of("A: b\n\ntext\n");

	return assignment_begin(assignment, &job, &err);
}

TEST(a_job_has_what_its_frames_said)
{
	struct assignment a = begin();
	struct wire_job job = job_of("A: b\n\ntext\n");

	assign_with(&a, 1, "amy", "lists", NULL, 0);
	REQUIRE(add(&a, 7, 1, "amy+lists@example.org", "a.reed@example.net") ==
		0);
	job.deadline_ms = 1234;
	job.recipients = 5;
	REQUIRE(assignment_begin(&a, &job, &err) == 0);
	CHECK_UINT(a.job.count, 1);
	CHECK_UINT(a.job.recipients, 5);
	CHECK_UINT(a.job.deadline_ms, 1234);
	CHECK_STR(a.job.session, "S");
	CHECK_STR(a.job.service, "lmtp");
	CHECK_STR_IS(a.job.sender.text, "ada@partner.example");
	CHECK_STR_IS(a.job.client->helo, "mx");
	CHECK_STR_IS(a.job.client->protocol, "LMTPS");
	CHECK_UINT(message_end(a.job.message), 11);
	CHECK_STR(a.job.deliveries[0].user, "amy");
	CHECK_STR(a.job.deliveries[0].home, "/home");
	CHECK_STR(a.job.deliveries[0].session, "S:R2");
	CHECK_STR_IS(a.job.deliveries[0].detail, "lists");
	CHECK_STR_IS(a.job.deliveries[0].final.text, "amy+lists@example.org");
	CHECK_STR_IS(a.job.deliveries[0].original.text, "a.reed@example.net");
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_PENDING);
	finish(&a);
}

TEST(without_orcpt_the_recipient_is_the_original_one)
{
	struct assignment a = begin();

	assign(&a, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	REQUIRE(start(&a) == 0);
	CHECK_STR_IS(a.job.deliveries[0].original.text, "amy@example.org");
	finish(&a);
}

TEST(a_null_sender_is_one)
{
	struct assignment a = begin();
	struct wire_job job = job_of("A: b\n\n");

	assign(&a, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	job.sender = STR_EMPTY;
	REQUIRE(assignment_begin(&a, &job, &err) == 0);
	CHECK(a.job.sender.is_null);
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_PENDING);
	finish(&a);
}

TEST(a_user_has_settings_of_its_own)
{
	struct assignment a = begin();
	struct wire_field good = {STR("mail"), STR("maildir:~/M")};
	struct wire_field bad = {STR("mail_fsync"), STR("sometimes")};

	assign_with(&a, 1, "amy", "", &good, 1);
	assign_with(&a, 2, "bob", "", &bad, 1);
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	REQUIRE(add(&a, 7, 2, "bob@example.org", "") == 0);
	REQUIRE(start(&a) == 0);
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_PENDING);
	CHECK_STR(a.job.deliveries[0].settings->mail_location, "maildir:~/M");
	CHECK_INT(a.job.deliveries[1].outcome, DELIVER_FAILED);
	CHECK_INT(a.job.deliveries[1].err.kind, ERR_TEMPORARY);
	CHECK_STR(a.job.deliveries[1].user, "bob");
	finish(&a);
}

/* ---- what a front that was taken over could send ---- */

TEST(a_ticket_that_was_not_assigned_fails_its_recipient_alone)
{
	struct assignment a = begin();

	assign(&a, 1, "amy");
	assign(&a, 2, "bob");
	REQUIRE(add(&a, 7, 9, "root@example.org", "") == 0);
	REQUIRE(add(&a, 7, 2, "bob@example.org", "") == 0);
	REQUIRE(start(&a) == 0);
	CHECK_UINT(a.job.count, 2);
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_STR(a.job.deliveries[0].err.status, "4.3.0");
	CHECK_INT(a.job.deliveries[1].outcome, DELIVER_PENDING);
	CHECK_STR(a.job.deliveries[1].user, "bob");
	finish(&a);
}

TEST(what_is_no_address_fails_its_recipient_for_now)
{
	static const char *const paths[] = {
		"", "a b@example.org", "amy@example.org\r\nX: y", "@"};
	struct assignment a = begin();
	size_t i;

	assign(&a, 1, "amy");
	for (i = 0; i < ARRAY_LENGTH(paths); i++)
		REQUIRE(add(&a, 7, 1, paths[i], "") == 0);
	REQUIRE(start(&a) == 0);
	for (i = 0; i < ARRAY_LENGTH(paths); i++) {
		CHECK_INT(a.job.deliveries[i].outcome, DELIVER_FAILED);
		CHECK_INT(a.job.deliveries[i].err.kind, ERR_TEMPORARY);
		CHECK(a.job.deliveries[i].err.status[0] == '4');
	}
	finish(&a);
}

TEST(a_sender_that_is_no_address_fails_all)
{
	struct assignment a = begin();
	struct wire_job job = job_of("A: b\n\n");

	assign(&a, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	job.sender = STR("x\ny@example.org");
	REQUIRE(assignment_begin(&a, &job, &err) == 0);
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(a.job.deliveries[0].err.kind, ERR_TEMPORARY);
	finish(&a);
}

TEST(frames_out_of_turn_break_the_rules)
{
	struct assignment a = begin();

	CHECK_INT(add(&a, 7, 1, "amy@example.org", ""), -1);
	CHECK_INT(start(&a), -1);
	assign(&a, 1, "amy");
	CHECK_INT(add(&a, 8, 1, "amy@example.org", ""), -1);
	CHECK_INT(start(&a), -1);
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	CHECK_INT(start(&a), 0);
	finish(&a);
}

TEST(master_assigns_one_job_at_a_time)
{
	struct assignment a = begin();
	const struct wire_assign other = {.job = 8};

	assign(&a, 1, "amy");
	CHECK_INT(assignment_add_users(&a, &other, &err), -1);
	finish(&a);
}

TEST(too_many_recipients_break_the_rules)
{
	struct assignment a = begin();
	const struct wire_job_recipients many = {
		.job = 7, .count = ASSIGNMENT_RECIPIENTS_MAX};

	assign(&a, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	CHECK_INT(assignment_add_recipients(&a, &many, &err), -1);
	finish(&a);
}

TEST(a_broken_record_fails_its_recipient_alone)
{
	struct assignment a = begin();

	REQUIRE(assign_packed(&a, 1, STR("garbage")) == 0);
	assign(&a, 2, "bob");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	REQUIRE(add(&a, 7, 2, "bob@example.org", "") == 0);
	REQUIRE(start(&a) == 0);
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(a.job.deliveries[1].outcome, DELIVER_PENDING);
	finish(&a);
}

static void
check_message_fails(struct wire_job *job)
{
	struct assignment a = begin();

	assign(&a, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	REQUIRE(assignment_begin(&a, job, &err) == 0);
	CHECK_INT(a.job.deliveries[0].outcome, DELIVER_FAILED);
	CHECK_INT(a.job.deliveries[0].err.kind, ERR_TEMPORARY);
	CHECK_INT(job->file, -1);
	finish(&a);
}

TEST(a_message_of_another_size_fails_all)
{
	struct wire_job job = job_of("A: b\n\n");
	const char *path = test_file("message", "A: b\n\n");

	job.size = 7;
	check_message_fails(&job);
	job.file = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(job.file >= 0);
	check_message_fails(&job);
	job.file = open(test_folder(), O_RDONLY | O_CLOEXEC);
	REQUIRE(job.file >= 0);
	check_message_fails(&job);
}

TEST(a_file_that_shrinks_before_it_is_read_again_makes_no_key)
{
	struct assignment a = begin();
	struct wire_job job = job_of("");
	char bytes[300000];
	const char *path;

	memset(bytes, 'x', sizeof(bytes));
	bytes[0] = '\n'; /* no header, which would be held in memory */
	path = test_file_bytes("message", str_of(bytes, sizeof(bytes)));
	assign(&a, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	job.file = open(path, O_RDONLY | O_CLOEXEC);
	job.size = sizeof(bytes);
	REQUIRE(assignment_begin(&a, &job, &err) == 0);
	CHECK_INT(assignment_make_keys(&a, 1000, &err), 0);
	REQUIRE(truncate(path, 200000) == 0);
	CHECK_INT(assignment_make_keys(&a, 1000, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	finish(&a);
}

/* ---- keys ---- */

struct letter {
	uid_t uid;
	const char *message, *sender, *path, *original, *detail;
};

static void
key_of(const struct letter *letter, unsigned char key[32])
{
	struct assignment a = begin();
	struct wire_job job = job_of(letter->message);

	assign_with(&a, 1, "amy", letter->detail, NULL, 0);
	REQUIRE(add(&a, 7, 1, letter->path, letter->original) == 0);
	job.sender = str_from(letter->sender);
	REQUIRE(assignment_begin(&a, &job, &err) == 0);
	REQUIRE(assignment_make_keys(&a, letter->uid, &err) == 0);
	memcpy(key, a.claims[0].key, 32);
	finish(&a);
}

TEST(a_key_differs_with_whatever_makes_it_another_delivery)
{
	static const struct letter letters[] = {
		{1000, "A: b\n", "a@b", "amy@c", "", ""},
		{1001, "A: b\n", "a@b", "amy@c", "", ""},
		{1000, "A: c\n", "a@b", "amy@c", "", ""},
		{1000, "A: b\n\n", "a@b", "amy@c", "", ""},
		{1000, "A: b\n", "a@bb", "amy@c", "", ""},
		{1000, "A: b\n", "", "amy@c", "", ""},
		{1000, "A: b\n", "a@b", "Amy@c", "", ""},
		{1000, "A: b\n", "a@b", "amy@c", "x", ""},
		{1000, "A: b\n", "a@b", "amy@c", "", "x"},
		{1000, "A: b\n", "a@b", "amy@cx", "", ""},
	};
	unsigned char keys[ARRAY_LENGTH(letters)][32], again[32];
	size_t i, j;

	for (i = 0; i < ARRAY_LENGTH(letters); i++) {
		key_of(&letters[i], keys[i]);
		for (j = 0; j < i; j++)
			CHECK(memcmp(keys[i], keys[j], 32) != 0);
	}
	key_of(&letters[0], again);
	CHECK(memcmp(keys[0], again, 32) == 0);
}

/* Memory or file, it is the same message. */
TEST(a_key_does_not_depend_on_where_the_message_is)
{
	struct assignment a = begin(), b = begin();
	static char bytes[300000];
	struct wire_job job = job_of("");
	const char *path;

	memset(bytes, 'x', sizeof(bytes));
	bytes[0] = '\n'; /* no header, which would be held in memory */
	path = test_file_bytes("message", str_of(bytes, sizeof(bytes)));
	assign(&a, 1, "amy");
	assign(&b, 1, "amy");
	REQUIRE(add(&a, 7, 1, "amy@example.org", "") == 0);
	REQUIRE(add(&b, 7, 1, "amy@example.org", "") == 0);
	job.size = sizeof(bytes);
	job.message = str_of(bytes, sizeof(bytes));
	REQUIRE(assignment_begin(&a, &job, &err) == 0);
	job.file = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(assignment_begin(&b, &job, &err) == 0);
	REQUIRE(assignment_make_keys(&a, 1, &err) == 0);
	REQUIRE(assignment_make_keys(&b, 1, &err) == 0);
	CHECK(memcmp(a.claims[0].key, b.claims[0].key, 32) == 0);
	finish(&a);
	finish(&b);
}

/* ---- results ---- */

TEST(every_recipient_has_a_result_in_order_over_several_frames)
{
	enum { COUNT = 1000 };
	struct assignment a = begin();
	struct wire_result result = {.is_last = false};
	size_t first = 0, frames = 0, i;

	assign(&a, 1, "amy");
	for (i = 0; i < COUNT; i++)
		REQUIRE(add(&a, 7, i % 3 == 0 ? 9 : 1, "amy@example.org", "") ==
			0);
	REQUIRE(start(&a) == 0);
	for (i = 0; i < COUNT; i++) {
		struct delivery *delivery = &a.job.deliveries[i];

		if (i % 3 == 0)
			memset(delivery->err.text, 'x',
				sizeof(delivery->err.text) - 1);
		else
			delivery->outcome = DELIVER_SAVED;
	}
	while (!result.is_last) {
		struct frame frame;

		assignment_result(&a, 1000, first, &result);
		CHECK_UINT(result.first, first);
		CHECK_UINT(result.job, 7);
		REQUIRE(result.count > 0);
		for (i = 0; i < result.count; i++)
			CHECK_INT(result.results[i].outcome,
				(first + i) % 3 == 0 ? WIRE_FAILED
						     : WIRE_SAVED);
		frame_begin(&frame, WIRE_RESULT);
		wire_result(&frame, &result);
		CHECK(frame_is_whole(&frame));
		frame_close(&frame);
		first += result.count;
		frames++;
	}
	CHECK_UINT(first, COUNT);
	CHECK(frames > 1);
	finish(&a);
}
