/* SPDX-License-Identifier: MIT */
#include "lmtp/front.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "lmtp/connection.h"
#include "tests/lib/test.h"
#include "tests/unit/lmtp/stage.h"

#include "base/banned.h"

/* ---- what the others say ---- */

/* The next RCPT that master is asked about. */
static struct wire_rcpt
take_rcpt(struct stage *stage)
{
	struct frame frame = stage_receive(stage, &stage->master, WIRE_RCPT);
	struct wire_rcpt rcpt = {0};

	wire_rcpt(&frame, &rcpt);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	return rcpt;
}

static void
answer(struct stage *stage, uint64_t request, char ticket, uint32_t group)
{
	struct wire_rcpt_answer message = {
		.request = request, .group = group, .user = "amy"};
	struct frame frame;

	memset(message.ticket.bytes, ticket, sizeof(message.ticket.bytes));
	frame_begin(&frame, WIRE_RCPT_ANSWER);
	wire_rcpt_answer(&frame, &message);
	stage_send(&stage->master, &frame);
}

static void
refuse(struct stage *stage, uint64_t request)
{
	struct wire_rcpt_answer message = {.request = request};
	struct frame frame;

	err_set(&message.err, ERR_NO_USER, "5.1.1", "User doesn't exist");
	frame_begin(&frame, WIRE_RCPT_ANSWER);
	wire_rcpt_answer(&frame, &message);
	stage_send(&stage->master, &frame);
}

static struct wire_start
take_start(struct stage *stage)
{
	struct frame frame = stage_receive(stage, &stage->master, WIRE_START);
	struct wire_start start = {0};

	wire_start(&frame, &start);
	CHECK(frame_is_whole(&frame));
	CHECK(start.is_last);
	frame_close(&frame);
	return start;
}

static uint64_t
take_number(struct stage *stage, struct channel *channel, enum wire_type type)
{
	struct frame frame = stage_receive(stage, channel, type);
	struct wire_job_number message = {0};

	wire_job_number(&frame, &message);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	return message.job;
}

static size_t
take_release(struct stage *stage)
{
	struct frame frame = stage_receive(stage, &stage->master, WIRE_RELEASE);
	struct wire_release message = {0};

	wire_release(&frame, &message);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	return message.count;
}

static void
assign(struct stage *stage, uint64_t job, uint32_t worker)
{
	struct wire_assigned message = {.job = job, .worker = worker};
	struct frame frame;

	frame_begin(&frame, WIRE_ASSIGNED);
	wire_assigned(&frame, &message);
	stage_send(&stage->master, &frame);
}

struct job {
	struct wire_job message;
	size_t recipients;
	struct wire_job_recipient *first;
};

/* A file that comes with it is left open for the test. */
static struct job
take_job(struct stage *stage, struct channel *worker)
{
	struct job job = {0};
	struct frame frame;

	frame = stage_receive(stage, worker, WIRE_JOB);
	wire_job(&frame, &job.message);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	job.recipients = job.message.last_count;
	job.first = job.message.last;
	return job;
}

static struct wire_recipient_result
saved(void)
{
	return (struct wire_recipient_result){.outcome = WIRE_SAVED};
}

static struct wire_recipient_result
saved_with_handle(char letter)
{
	struct wire_recipient_result result = saved();

	result.has_handle = true;
	memset(&result.handle, 0, sizeof(result.handle));
	result.handle.uid = 1000;
	memset(result.handle.key, letter, sizeof(result.handle.key));
	return result;
}

static void
send_results(struct channel *worker, uint64_t job, uint32_t first,
	struct wire_recipient_result *results, size_t count, bool is_last)
{
	struct wire_result message = {.job = job,
		.first = first,
		.results = results,
		.count = count,
		.is_last = is_last};
	struct frame frame;

	frame_begin(&frame, WIRE_RESULT);
	wire_result(&frame, &message);
	stage_send(worker, &frame);
}

static void
send_saved(struct channel *worker, uint64_t job)
{
	struct wire_recipient_result result = saved();

	send_results(worker, job, 0, &result, 1, true);
}

static void
send_confirmed(struct channel *state, uint64_t request)
{
	struct wire_confirmed message = {request};
	struct frame frame;

	frame_begin(&frame, WIRE_CONFIRMED);
	wire_confirmed(&frame, &message);
	stage_send(state, &frame);
}

static struct wire_confirm
take_confirm(struct stage *stage, struct channel *state)
{
	struct frame frame = stage_receive(stage, state, WIRE_CONFIRM);
	struct wire_confirm message = {0};

	wire_confirm(&frame, &message);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	return message;
}

/* ---- scenes ---- */

#define NO_SETTINGS "mail_temp_dir = /tmp\n"

static struct stage
open_with_socket(const char *settings)
{
	struct stage stage = stage_open(settings);

	stage_listen(&stage);
	return stage;
}

static int
greet(struct stage *stage)
{
	int client = client_connect(stage);

	client_expect(client, "220 ");
	client_say(client, "LHLO client\r\n");
	client_expect(client, "250 ");
	return client;
}

static void
begin_mail(int client)
{
	client_say(client, "MAIL FROM:<ada@example.org>\r\n");
	client_expect(client, "250 2.1.0");
}

/* Accepted, with a ticket of that letter. */
static void
give_rcpt(struct stage *stage, int client, char name, uint32_t group)
{
	char line[64];

	snprintf(line, sizeof(line), "RCPT TO:<%c@example.com>\r\n", name);
	client_say(client, line);
	answer(stage, take_rcpt(stage).request, name, group);
	client_expect(client, "250 2.1.5");
}

static void
say_data(int client)
{
	client_say(client, "DATA\r\n");
	client_expect(client, "354 ");
}

static const char short_message[] = "Subject: x\r\n\r\nhello\r\n.\r\n";

/* A transaction of one recipient up to its START. */
static int
client_with_start(struct stage *stage, struct wire_start *start)
{
	int client = greet(stage);

	begin_mail(client);
	give_rcpt(stage, client, 'a', 1);
	say_data(client);
	client_say(client, short_message);
	*start = take_start(stage);
	return client;
}

static int
client_with_job(struct stage *stage, struct channel *worker, struct job *job)
{
	struct wire_start start = {0};
	int client = client_with_start(stage, &start);

	assign(stage, start.job, 1);
	*job = take_job(stage, worker);
	return client;
}

static void
quit(int client)
{
	client_say(client, "QUIT\r\n");
	client_expect(client, "221 ");
	client_expect_end(client);
}

/* ---- a message ---- */

TEST(a_message_goes_to_a_worker_and_its_result_to_the_client)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	CHECK_UINT(job.recipients, 1);
	CHECK_STR_IS(job.first[0].path, "a@example.com");
	CHECK_INT(job.first[0].ticket.bytes[0], 'a');
	CHECK_STR_IS(job.message.sender, "ada@example.org");
	CHECK_UINT(job.message.recipients, 1);
	CHECK_INT(job.message.file, -1);
	CHECK_STR_IS(job.message.message, "Subject: x\r\n\r\nhello\r\n");
	CHECK_STR_IS(job.message.client.helo, "client");
	send_saved(&worker, job.message.job);
	client_expect(client, "250 2.0.0 <a@example.com> ");
	CHECK_UINT(take_release(&stage), 1);
	quit(client);
	stage_wait_for_log(&stage, "Connect from local", 1);
	stage_wait_for_log(
		&stage, "Disconnect from local: Logged out (state=READY)", 1);
	channel_close(&worker);
	stage_close(&stage);
}

TEST(the_deadline_is_the_delivery_timeout_from_now)
{
	struct stage stage =
		open_with_socket("lmtp_delivery_timeout = 100 secs\n");
	uint64_t before = clock_monotonic_ms();
	struct wire_start start = {0};
	int client = client_with_start(&stage, &start);

	CHECK(start.deadline_ms >= before + 100000);
	CHECK(start.deadline_ms <= clock_monotonic_ms() + 100000);
	close(client);
	stage_close(&stage);
}

TEST(a_long_message_travels_as_a_sealed_file)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	static char line[1002], bytes[200000];
	int client = greet(&stage);
	struct job job;
	size_t i;

	memset(line, 'x', 998);
	memcpy(line + 998, "\r\n", 3);
	begin_mail(client);
	give_rcpt(&stage, client, 'a', 1);
	say_data(client);
	for (i = 0; i < 100; i++)
		client_say(client, line);
	client_say(client, ".\r\n");
	assign(&stage, take_start(&stage).job, 1);
	job = take_job(&stage, &worker);
	CHECK_UINT(job.message.size, 100000);
	CHECK_UINT(job.message.message.len, 0);
	REQUIRE(job.message.file >= 0);
	CHECK_INT(
		fd_read_at(job.message.file, bytes, sizeof(bytes), 0), 100000);
	CHECK_INT(write(job.message.file, "x", 1), -1);
	close(job.message.file);
	send_saved(&worker, job.message.job);
	client_expect(client, "250 2.0.0");
	close(client);
	channel_close(&worker);
	stage_close(&stage);
}

/* Replies have the order of RCPT whatever the order of the jobs. */
TEST(recipients_of_a_group_share_a_job_and_replies_keep_their_order)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel first = stage_worker(&stage, 1);
	struct channel second = stage_worker(&stage, 2);
	struct wire_recipient_result results[2] = {saved(), saved()};
	struct wire_start start = {0};
	struct job job;
	int client = greet(&stage);

	begin_mail(client);
	give_rcpt(&stage, client, 'a', 7);
	give_rcpt(&stage, client, 'b', 8);
	give_rcpt(&stage, client, 'c', 7);
	/* A duplicate has no job of its own. */
	client_say(client, "RCPT TO:<a@example.com>\r\n");
	client_expect(client, "250 2.1.5");
	say_data(client);
	client_say(client, short_message);
	start = take_start(&stage);
	CHECK_UINT(start.count, 2);
	CHECK_INT(start.tickets[0].bytes[0], 'a');
	CHECK_INT(start.tickets[1].bytes[0], 'c');
	assign(&stage, start.job, 1);
	start = take_start(&stage);
	CHECK_UINT(start.count, 1);
	CHECK_INT(start.tickets[0].bytes[0], 'b');
	assign(&stage, start.job, 2);

	job = take_job(&stage, &second);
	err_set(&results[0].err, ERR_OVER_QUOTA, "5.2.2", "Quota exceeded");
	results[0].outcome = WIRE_FAILED;
	send_results(&second, job.message.job, 0, results, 1, true);
	job = take_job(&stage, &first);
	CHECK_UINT(job.message.recipients, 4);
	CHECK_UINT(job.recipients, 2);
	CHECK_STR_IS(job.first[1].path, "c@example.com");
	results[0] = saved();
	/* In two parts. */
	send_results(&first, job.message.job, 0, results, 1, false);
	send_results(&first, job.message.job, 1, results, 1, true);
	client_expect(client, "250 2.0.0 <a@example.com>");
	client_expect(client, "552 5.2.2 <b@example.com>");
	client_expect(client, "250 2.0.0 <c@example.com>");
	client_expect(client, "250 2.0.0 <a@example.com>");
	CHECK_UINT(take_release(&stage), 3);
	close(client);
	channel_close(&first);
	channel_close(&second);
	stage_close(&stage);
}

TEST(a_pipeline_is_asked_about_all_at_once)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = greet(&stage);
	uint64_t first, second;

	client_say(client, "MAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\n"
			   "RCPT TO:<b@example.com>\r\nDATA\r\n");
	first = take_rcpt(&stage).request;
	second = take_rcpt(&stage).request;
	answer(&stage, second, 'b', 1);
	refuse(&stage, first);
	client_expect(client, "250 2.1.0");
	client_expect(client, "550 5.1.1");
	client_expect(client, "250 2.1.5");
	client_expect(client, "354 ");
	close(client);
	stage_close(&stage);
}

TEST(a_worker_may_fail_some_recipients_by_leaving_them_out)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct wire_recipient_result result = saved();
	struct job job;
	int client = greet(&stage);

	begin_mail(client);
	give_rcpt(&stage, client, 'a', 1);
	give_rcpt(&stage, client, 'b', 1);
	say_data(client);
	client_say(client, short_message);
	assign(&stage, take_start(&stage).job, 1);
	job = take_job(&stage, &worker);
	send_results(&worker, job.message.job, 0, &result, 1, true);
	client_expect(client, "250 2.0.0 <a@example.com>");
	client_expect(client, "451 4.3.0 <b@example.com>");
	close(client);
	channel_close(&worker);
	stage_close(&stage);
}

/* ---- trouble ---- */

TEST(a_worker_that_dies_fails_its_jobs_only)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel dying = stage_worker(&stage, 1);
	struct channel living = stage_worker(&stage, 2);
	struct job job;
	struct wire_start start = {0};
	int unlucky = client_with_job(&stage, &dying, &job);
	int lucky = client_with_start(&stage, &start);

	assign(&stage, start.job, 2);
	job = take_job(&stage, &living);
	channel_close(&dying);
	client_expect(unlucky, "451 4.3.0 <a@example.com>");
	CHECK_UINT(take_release(&stage), 1);
	send_saved(&living, job.message.job);
	client_expect(lucky, "250 2.0.0");
	/* The next message of the unlucky one. */
	CHECK_UINT(take_release(&stage), 1);
	begin_mail(unlucky);
	close(unlucky);
	close(lucky);
	channel_close(&living);
	stage_close(&stage);
}

TEST(a_result_that_came_before_its_worker_died_counts)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	kill(stage.front, SIGSTOP);
	send_saved(&worker, job.message.job);
	channel_close(&worker);
	kill(stage.front, SIGCONT);
	client_expect(client, "250 2.0.0");
	close(client);
	stage_close(&stage);
}

TEST(a_worker_that_has_gone_before_it_was_assigned_fails_the_job)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct wire_start start = {0};
	int client = client_with_start(&stage, &start);

	assign(&stage, start.job, 99);
	client_expect(client, "451 4.3.0");
	close(client);
	stage_close(&stage);
}

TEST(what_master_says_about_a_start_is_the_reply)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct wire_start start = {0};
	struct wire_assigned message;
	struct frame frame;
	int client = client_with_start(&stage, &start);

	message = (struct wire_assigned){.job = start.job};
	err_set(&message.err, ERR_TEMPORARY, "4.3.2", "Too busy");
	frame_begin(&frame, WIRE_ASSIGNED);
	wire_assigned(&frame, &message);
	stage_send(&stage.master, &frame);
	client_expect(client, "451 4.3.2 <a@example.com>");
	close(client);
	stage_close(&stage);
}

TEST(a_worker_that_talks_nonsense_is_as_good_as_dead)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct wire_recipient_result results[2] = {saved(), saved()};
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	/* More results than recipients. */
	send_results(&worker, job.message.job, 0, results, 2, true);
	client_expect(client, "451 4.3.0");
	close(client);
	channel_close(&worker);
	stage_close(&stage);
}

TEST(a_delivery_without_result_is_given_up_and_cancelled)
{
	struct stage stage =
		open_with_socket("lmtp_delivery_timeout = 1 secs\n");
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	CHECK_UINT(
		take_number(&stage, &worker, WIRE_JOB_CANCEL), job.message.job);
	client_expect(client, "451 4.3.0");
	/* Too late. */
	send_saved(&worker, job.message.job);
	begin_mail(client);
	close(client);
	channel_close(&worker);
	stage_close(&stage);
}

TEST(the_front_ends_with_its_master)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = greet(&stage);

	CHECK_INT(stage_close(&stage), 1);
	client_expect_end(client);
}

/* ---- clients that go ---- */

TEST(a_client_that_goes_before_a_worker_is_found_cancels_the_start)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct wire_start start = {0};
	int client = client_with_start(&stage, &start);

	close(client);
	CHECK_UINT(take_number(&stage, &stage.master, WIRE_START_CANCEL),
		start.job);
	CHECK_UINT(take_release(&stage), 1);
	/* Master had found one already. */
	assign(&stage, start.job, 1);
	CHECK_UINT(take_number(&stage, &worker, WIRE_JOB_CANCEL), start.job);
	stage_wait_for_log(&stage,
		"Disconnect from local: Connection closed (state=DATA) "
		"(unfinished DATA command)",
		1);
	channel_close(&worker);
	stage_close(&stage);
}

TEST(a_client_that_goes_cancels_its_job)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	close(client);
	CHECK_UINT(
		take_number(&stage, &worker, WIRE_JOB_CANCEL), job.message.job);
	/* A result that was under way reaches nobody. */
	send_saved(&worker, job.message.job);
	CHECK_UINT(take_release(&stage), 1);
	quit(greet(&stage));
	channel_close(&worker);
	stage_close(&stage);
}

TEST(a_client_that_only_shuts_its_side_is_gone_as_well)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	REQUIRE(shutdown(client, SHUT_WR) == 0);
	CHECK_UINT(
		take_number(&stage, &worker, WIRE_JOB_CANCEL), job.message.job);
	client_expect_end(client);
	channel_close(&worker);
	stage_close(&stage);
}

TEST(a_quit_behind_the_message_is_still_served_after_the_end_of_input)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct wire_start start = {0};
	struct job job;
	int client = greet(&stage);

	begin_mail(client);
	give_rcpt(&stage, client, 'a', 1);
	say_data(client);
	client_say(client, short_message);
	start = take_start(&stage);
	client_say(client, "QUIT\r\n");
	REQUIRE(shutdown(client, SHUT_WR) == 0);
	assign(&stage, start.job, 1);
	job = take_job(&stage, &worker);
	CHECK(stage_is_silent(&stage, &worker));
	send_saved(&worker, job.message.job);
	client_expect(client, "250 2.0.0");
	client_expect(client, "221 ");
	client_expect_end(client);
	stage_wait_for_log(&stage, "Logged out", 1);
	channel_close(&worker);
	stage_close(&stage);
}

TEST(a_refused_recipient_has_a_line_in_the_log_but_many_have_few)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = greet(&stage), i;

	begin_mail(client);
	for (i = 0; i < 25; i++) {
		client_say(client, "RCPT TO:<a@example.com>\r\n");
		refuse(&stage, take_rcpt(&stage).request);
		client_expect(client, "550 5.1.1 <a@example.com>");
	}
	client_say(client, "QUIT\r\n");
	client_expect(client, "221 ");
	stage_wait_for_log(&stage, "Logged out", 1);
	CHECK(strstr(stage_log(&stage),
		      ">: refused <a@example.com>: 550 5.1.1 User doesn't "
		      "exist\n") != NULL);
	CHECK(strstr(stage_log(&stage), ":R20>: refused <a@") != NULL);
	CHECK(strstr(stage_log(&stage), ":R21>: refused, and maybe more") !=
		NULL);
	CHECK(strstr(stage_log(&stage), ":R22>") == NULL);
	close(client);
	stage_close(&stage);
}

TEST(commands_before_the_end_of_input_are_all_answered)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = client_connect(&stage);

	client_say(client, "LHLO client\r\nNOOP\r\nMAIL FROM:<>\r\n"
			   "RCPT TO:<a@example.com>\r\nNOOP\r\nhalf a li");
	REQUIRE(shutdown(client, SHUT_WR) == 0);
	refuse(&stage, take_rcpt(&stage).request);
	client_expect(client, "220 ");
	client_expect(client, "250 ");
	client_expect(client, "250 2.0.0");
	client_expect(client, "250 2.1.0");
	client_expect(client, "550 5.1.1");
	client_expect(client, "250 2.0.0");
	client_expect_end(client);
	stage_wait_for_log(&stage, "(unfinished HALF command)", 1);
	stage_close(&stage);
}

TEST(an_answer_for_a_recipient_of_before_is_given_back)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = greet(&stage);
	uint64_t request;

	begin_mail(client);
	client_say(client, "RCPT TO:<a@example.com>\r\n");
	request = take_rcpt(&stage).request;
	close(client);
	stage_wait_for_log(&stage, "Disconnect", 1);
	answer(&stage, request, 'a', 1);
	CHECK_UINT(take_release(&stage), 1);
	/* Twice. */
	answer(&stage, request, 'a', 1);
	CHECK_UINT(take_release(&stage), 1);
	stage_close(&stage);
}

TEST(a_client_that_reads_nothing_is_not_read_from)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = client_connect(&stage), other;
	static char noops[60000];
	ssize_t sent;
	size_t total = 0;
	size_t i;

	for (i = 0; i + 6 < sizeof(noops); i += 6)
		memcpy(noops + i, "NOOP\r\n", 6);
	/* Until the front takes no more, its buffers and the kernel's full. */
	for (i = 0; i < 3;) {
		sent = send(client, noops, sizeof(noops) - 6,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		total += sent > 0 ? (size_t)sent : 0;
		if (sent <= 0) {
			usleep(100000);
			i++;
		} else {
			i = 0;
		}
		REQUIRE(total < 20 * 1024 * 1024);
	}
	/* Nobody else is held up. */
	other = greet(&stage);
	quit(other);
	close(client);
	stage_wait_for_log(&stage, "Disconnect", 2);
	stage_close(&stage);
}

/* ---- time ---- */

TEST(a_client_that_says_nothing_is_disconnected)
{
	struct stage stage =
		open_with_socket("lmtp_idle_timeout = 300 msecs\n");
	int client = greet(&stage);

	client_expect(client, "421 4.4.2 Disconnected for inactivity");
	client_expect_end(client);
	stage_wait_for_log(&stage, "Disconnected for inactivity", 1);
	stage_close(&stage);
}

TEST(a_message_that_stops_coming_is_disconnected)
{
	struct stage stage =
		open_with_socket("lmtp_idle_timeout = 300 msecs\n");
	int client = greet(&stage);

	begin_mail(client);
	give_rcpt(&stage, client, 'a', 1);
	say_data(client);
	client_say(client, "Subject: never");
	client_expect(client, "421 4.4.2 Disconnected for inactivity");
	client_expect_end(client);
	CHECK_UINT(take_release(&stage), 1);
	stage_close(&stage);
}

TEST(a_client_does_not_idle_while_its_message_is_delivered)
{
	struct stage stage = open_with_socket("lmtp_idle_timeout = 1 secs\n");
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	usleep(1500000);
	send_saved(&worker, job.message.job);
	client_expect(client, "250 2.0.0");
	client_say(client, "NOOP\r\n");
	client_expect(client, "250 2.0.0");
	close(client);
	channel_close(&worker);
	stage_close(&stage);
}

/* ---- who may come in ---- */

TEST(a_stranger_is_turned_away)
{
	struct stage stage =
		stage_open("lmtp_allowed_networks = 192.0.2.0/24\n");
	unsigned port = stage_listen_inet(&stage, "127.0.0.1");
	int client = client_connect_inet("127.0.0.1", port);

	client_expect(client, "421 4.7.1");
	client_expect_end(client);
	stage_close(&stage);
}

TEST(a_mapped_address_is_an_ipv4_address)
{
	struct stage stage =
		stage_open("lmtp_allowed_networks = 127.0.0.0/8\n");
	unsigned port = stage_listen_inet(&stage, "::");
	int client = client_connect_inet("127.0.0.1", port);

	client_expect(client, "220 ");
	stage_wait_for_log(&stage, "Connect from 127.0.0.1", 1);
	close(client);
	stage_close(&stage);
}

TEST(only_trusted_networks_may_use_xclient)
{
	struct stage stage = stage_open("login_trusted_networks = 127.0.0.2\n");
	unsigned port = stage_listen_inet(&stage, "127.0.0.1");
	int client = client_connect_inet("127.0.0.1", port);

	client_expect(client, "220 ");
	client_say(client, "XCLIENT ADDR=192.0.2.1\r\n");
	client_expect(client, "550 5.7.14");
	close(client);
	stage_close(&stage);
}

TEST(more_connections_than_allowed_are_turned_away)
{
	struct stage stage = open_with_socket("lmtp_max_connections = 2\n");
	int first = greet(&stage), second = greet(&stage);
	int third = client_connect(&stage);

	client_expect(third, "421 4.3.2");
	client_expect_end(third);
	quit(first);
	first = greet(&stage);
	quit(first);
	quit(second);
	stage_close(&stage);
}

/* ---- memory ---- */

TEST(without_memory_recipients_are_refused_for_now)
{
	struct stage stage = open_with_socket("lmtp_memory_limit = 1M\n");
	int clients[40];
	size_t i, refused = 0;

	/* Each holds what its transactions and pipelines need. */
	for (i = 0; i < ARRAY_LENGTH(clients); i++) {
		char line[1024];
		size_t at = 0, j;

		clients[i] = greet(&stage);
		begin_mail(clients[i]);
		for (j = 0; j < 20; j++)
			at += (size_t)snprintf(line + at, sizeof(line) - at,
				"RCPT TO:<u%zu@example.com>\r\n", j);
		client_say(clients[i], line);
	}
	for (;;) {
		struct frame frame;
		struct err err;

		if (!channel_wait(&stage.master, clock_monotonic_ms() + 300))
			break;
		if (channel_receive(&stage.master, stage.arena, &frame, &err) ==
			LOOKUP_FOUND)
			frame_close(&frame);
	}
	for (i = 0; i < ARRAY_LENGTH(clients); i++) {
		char bytes[8192];
		ssize_t got = recv(
			clients[i], bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

		bytes[got > 0 ? got : 0] = '\0';
		refused += strstr(bytes, "452 4.3.1") != NULL;
		close(clients[i]);
	}
	CHECK(refused > 0);
	CHECK(refused < ARRAY_LENGTH(clients));
	/* All comes back. */
	stage_wait_for_log(&stage, "Disconnect", ARRAY_LENGTH(clients));
	clients[0] = greet(&stage);
	begin_mail(clients[0]);
	give_rcpt(&stage, clients[0], 'a', 1);
	close(clients[0]);
	stage_close(&stage);
}

/* Bytes that are the front's alone. */
static size_t
memory_of(pid_t pid)
{
	char path[64], line[256];
	static const char name[] = "Private_Dirty:";
	unsigned long kilobytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		SKIP("no smaps_rollup here");
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, sizeof(name) - 1) == 0)
			kilobytes += strtoul(line + sizeof(name) - 1, NULL, 10);
	fclose(file);
	return (size_t)kilobytes * 1024;
}

TEST(an_idle_connection_takes_little_memory)
{
	enum { COUNT = 500, EACH = 4096 };
	struct stage stage = open_with_socket(NO_SETTINGS);
	int clients[COUNT];
	size_t before, after, i;

#if defined(__SANITIZE_ADDRESS__)
	stage_close(&stage);
	SKIP("a sanitizer needs memory of its own");
#endif
	clients[0] = greet(&stage);
	before = memory_of(stage.front);
	for (i = 1; i < COUNT; i++)
		clients[i] = greet(&stage);
	after = memory_of(stage.front);
	CHECK(after - before < (size_t)COUNT * EACH);
	if (after - before >= (size_t)COUNT * EACH)
		CHECK_UINT((after - before) / COUNT, EACH);
	for (i = 0; i < COUNT; i++)
		close(clients[i]);
	stage_close(&stage);
}

/* ---- confirmations ---- */

/* RFC 1047: a further command shows that the reply was read. */
TEST(the_next_command_confirms_and_waits_for_the_answer)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct channel state = stage_state(&stage);
	struct wire_recipient_result result = saved_with_handle('k');
	struct wire_confirm confirm;
	struct job job;
	int client = client_with_job(&stage, &worker, &job);

	send_results(&worker, job.message.job, 0, &result, 1, true);
	client_expect(client, "250 2.0.0");
	CHECK(stage_is_silent(&stage, &state));
	client_say(client, "MAIL FROM:<>\r\n");
	confirm = take_confirm(&stage, &state);
	CHECK_UINT(confirm.count, 1);
	CHECK_UINT(confirm.handles[0].uid, 1000);
	CHECK_INT(confirm.handles[0].key[0], 'k');
	send_confirmed(&state, confirm.request);
	client_expect(client, "250 2.1.0");
	/* Answers that nobody waits for. */
	send_confirmed(&state, confirm.request);
	send_confirmed(&state, 12345);
	client_say(client, "NOOP\r\n");
	client_expect(client, "250 2.0.0");
	close(client);
	channel_close(&worker);
	channel_close(&state);
	stage_close(&stage);
}

TEST(what_came_in_with_the_message_confirms_nothing)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct channel state = stage_state(&stage);
	struct wire_recipient_result result = saved_with_handle('k');
	struct wire_start start = {0};
	int client = client_with_start(&stage, &start);

	client_say(client, "NOOP\r\nQUIT\r\n");
	assign(&stage, start.job, 1);
	(void)take_job(&stage, &worker);
	send_results(&worker, start.job, 0, &result, 1, true);
	client_expect(client, "250 2.0.0 <a@example.com>");
	client_expect(client, "250 2.0.0");
	client_expect(client, "221 ");
	client_expect_end(client);
	CHECK(stage_is_silent(&stage, &state));
	channel_close(&worker);
	channel_close(&state);
	stage_close(&stage);
}

TEST(what_state_did_not_answer_is_sent_again_to_its_successor)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct channel state = stage_state(&stage);
	struct wire_recipient_result result = saved_with_handle('k');
	struct wire_confirm confirm;
	struct job job;
	uint64_t request;
	int client = client_with_job(&stage, &worker, &job);

	send_results(&worker, job.message.job, 0, &result, 1, true);
	client_expect(client, "250 2.0.0");
	client_say(client, "NOOP\r\n");
	request = take_confirm(&stage, &state).request;
	channel_close(&state);
	state = stage_state(&stage);
	confirm = take_confirm(&stage, &state);
	CHECK_UINT(confirm.request, request);
	CHECK_INT(confirm.handles[0].key[0], 'k');
	send_confirmed(&state, confirm.request);
	client_expect(client, "250 2.0.0");
	close(client);
	channel_close(&worker);
	channel_close(&state);
	stage_close(&stage);
}

TEST(a_client_does_not_wait_for_ever_for_state)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct channel state = stage_state(&stage);
	struct wire_recipient_result result = saved_with_handle('k');
	struct job job;
	uint64_t request;
	int client = client_with_job(&stage, &worker, &job);

	send_results(&worker, job.message.job, 0, &result, 1, true);
	client_expect(client, "250 2.0.0");
	client_say(client, "NOOP\r\n");
	request = take_confirm(&stage, &state).request;
	client_expect(client, "250 2.0.0");
	stage_wait_for_log(&stage, "state does not answer", 1);
	close(client);
	/* It is still wanted. */
	channel_close(&state);
	state = stage_state(&stage);
	CHECK_UINT(take_confirm(&stage, &state).request, request);
	channel_close(&worker);
	channel_close(&state);
	stage_close(&stage);
}

/* ---- the end ---- */

TEST(a_stop_ends_idle_sessions_and_lets_a_transaction_finish)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int idle = greet(&stage);
	int busy = client_with_job(&stage, &worker, &job);

	stage_drain(&stage, true);
	client_expect(idle, "421 4.3.2 Server shutting down");
	client_expect_end(idle);
	send_saved(&worker, job.message.job);
	client_expect(busy, "250 2.0.0");
	client_expect(busy, "421 4.3.2 Server shutting down");
	client_expect_end(busy);
	CHECK_INT(stage_wait(&stage), 0);
	channel_close(&worker);
}

TEST(what_does_not_end_in_time_hears_why)
{
	struct stage stage = open_with_socket("shutdown_timeout = 300 msecs\n");
	int in_data = greet(&stage), in_mail = greet(&stage);

	begin_mail(in_mail);
	begin_mail(in_data);
	give_rcpt(&stage, in_data, 'a', 1);
	say_data(in_data);
	client_say(in_data, "Subject: never");
	stage_drain(&stage, true);
	client_expect(in_mail, "421 4.3.2 Server shutting down");
	client_expect_end(in_mail);
	client_expect(in_data, "421 4.3.2 Server shutting down");
	client_expect_end(in_data);
	CHECK_UINT(take_release(&stage), 1);
	CHECK_INT(stage_wait(&stage), 0);
}

TEST(a_reload_lets_sessions_go_on)
{
	struct stage stage = open_with_socket(NO_SETTINGS);
	int client = greet(&stage);

	stage_drain(&stage, false);
	CHECK(stage_is_silent(&stage, &stage.master));
	begin_mail(client);
	give_rcpt(&stage, client, 'a', 1);
	client_say(client, "RSET\r\n");
	client_expect(client, "250 2.0.0");
	CHECK(!client_may_connect(&stage));
	/* Idle for some seconds. */
	client_expect(client, "421 4.3.2 Server shutting down");
	client_expect_end(client);
	CHECK_INT(stage_wait(&stage), 0);
}

TEST(a_front_without_sessions_drains_at_once)
{
	struct stage stage = open_with_socket(NO_SETTINGS);

	stage_drain(&stage, false);
	CHECK_INT(stage_wait(&stage), 0);
}

/* ---- --stdio ---- */

TEST(a_session_on_pipes_ends_the_process)
{
	struct stage stage = stage_open_single(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int in[2], out[2];

	REQUIRE(pipe(in) == 0 && pipe(out) == 0);
	stage_stdio(&stage, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	client_expect(out[0], "220 ");
	client_say(in[1], "LHLO x\r\nMAIL FROM:<>\r\n"
			  "RCPT TO:<a@example.com>\r\nDATA\r\n");
	answer(&stage, take_rcpt(&stage).request, 'a', 1);
	client_expect(out[0], "250 ");
	client_expect(out[0], "250 2.1.0");
	client_expect(out[0], "250 2.1.5");
	client_expect(out[0], "354 ");
	client_say(in[1], short_message);
	/* The end of the input of a pipe is no sign of being gone. */
	close(in[1]);
	assign(&stage, take_start(&stage).job, 1);
	job = take_job(&stage, &worker);
	CHECK(stage_is_silent(&stage, &worker));
	send_saved(&worker, job.message.job);
	client_expect(out[0], "250 2.0.0");
	client_expect_end(out[0]);
	CHECK_INT(stage_wait(&stage), 0);
	channel_close(&worker);
}

TEST(a_pipe_that_nobody_reads_any_more_cancels)
{
	struct stage stage = stage_open_single(NO_SETTINGS);
	struct channel worker = stage_worker(&stage, 1);
	struct job job;
	int in[2], out[2];

	REQUIRE(pipe(in) == 0 && pipe(out) == 0);
	stage_stdio(&stage, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	client_say(in[1], "LHLO x\r\nMAIL FROM:<>\r\n"
			  "RCPT TO:<a@example.com>\r\nDATA\r\n");
	answer(&stage, take_rcpt(&stage).request, 'a', 1);
	client_say(in[1], short_message);
	assign(&stage, take_start(&stage).job, 1);
	job = take_job(&stage, &worker);
	close(out[0]);
	CHECK_UINT(
		take_number(&stage, &worker, WIRE_JOB_CANCEL), job.message.job);
	CHECK_INT(stage_wait(&stage), 0);
	close(in[1]);
	channel_close(&worker);
}

TEST(a_file_can_be_the_input)
{
	struct stage stage = stage_open_single(NO_SETTINGS);
	const char *path = test_file("input", "LHLO x\r\nNOOP\r\nQUIT\r\n");
	FILE *input = fopen(path, "re");
	int out[2];

	REQUIRE(input != NULL && pipe(out) == 0);
	stage_stdio(&stage, fileno(input), out[1]);
	fclose(input);
	close(out[1]);
	client_expect(out[0], "220 ");
	client_expect(out[0], "250 ");
	client_expect(out[0], "250 2.0.0");
	client_expect(out[0], "221 ");
	client_expect_end(out[0]);
	CHECK_INT(stage_wait(&stage), 0);
}

TEST(a_socket_as_standard_input_and_output_is_a_socket)
{
	struct stage stage = stage_open_single(NO_SETTINGS);
	int pair[2], copy;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	copy = dup(pair[1]);
	REQUIRE(copy >= 0);
	stage_stdio(&stage, pair[1], copy);
	close(pair[1]);
	close(copy);
	client_expect(pair[0], "220 ");
	quit(pair[0]);
	CHECK_INT(stage_wait(&stage), 0);
}
