/* A worker between a master and a front that this test plays
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "server/claims.h"
#include "tests/lib/test.h"
#include "tests/unit/server/stage.h"

#include "base/banned.h"

enum { PATIENCE_MS = 20 * 1000 };

/* ---- a memory that grants everything ---- */

void
claims_init(struct claims *claims, const char *path)
{
	(void)path;
	memset(claims, 0, sizeof(*claims));
}

/* What a test wants of it is in files, as the worker is another process. */
static bool
is_wished(const char *name)
{
	return access(test_path(name), F_OK) == 0;
}

void
claims_clear(struct claims *claims)
{
	FILE *file;

	(void)claims;
	if (!is_wished("state-is-broken"))
		return;
	file = fopen(test_path("finished"), "a");
	if (file == NULL)
		return;
	fputs("cleared\n", file);
	fclose(file);
}

/* In a folder that cannot be looked into. */
static struct str
broken_name(void)
{
	const char *path = test_path("user1/Maildir/.Lists/new/2.M1P1.mx");

	return str_of(path, strlen(path) + 1);
}

void
claims_send(struct claims *claims, struct arena *arena,
	const struct claim *items, size_t count)
{
	(void)claims, (void)arena, (void)items, (void)count;
}

int
claims_ask(struct claims *claims, struct arena *arena, struct claim *items,
	size_t count, struct err *err)
{
	size_t i;

	(void)claims;
	(void)arena;
	if (is_wished("state-is-down"))
		return err_temp(err, "4.3.0", "state does not answer");
	for (i = 0; i < count; i++) {
		items[i].state = WIRE_CLAIM_GRANTED;
		if (is_wished("state-is-unable"))
			items[i].state = WIRE_CLAIM_UNABLE;
		if (is_wished("state-is-broken") && i == 0) {
			items[i].state = WIRE_CLAIM_BROKEN;
			items[i].found = broken_name();
		}
		if (!is_wished("state-has-it"))
			continue;
		items[i].state = WIRE_CLAIM_FINISHED;
		items[i].outcome = WIRE_DISCARDED;
		memset(items[i].secret, 's', sizeof(items[i].secret));
	}
	return 0;
}

int
claims_again(struct claims *claims, struct arena *arena, struct claim *items,
	size_t count, struct err *err)
{
	return claims_ask(claims, arena, items, count, err);
}

int
claims_finish(struct claims *claims, const struct wire_finish_item *items,
	size_t count, struct err *err)
{
	FILE *file = fopen(test_path("finished"), "a");
	size_t i;

	(void)claims;
	if (file == NULL)
		return err_temp_errno(err, "4.3.0", "fopen");
	for (i = 0; i < count; i++)
		fprintf(file, "%d\n", (int)items[i].outcome);
	fclose(file);
	return 0;
}

/* Files in a folder of a user; -1: there is none. */
static int
count_files(unsigned number, const char *folder, char last[4096])
{
	char path[2048];
	struct dirent *entry;
	int files = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/user%u/Maildir/%s", test_folder(),
		number, folder);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		files++;
		if (last != NULL)
			snprintf(last, 4096, "%s/%s", path, entry->d_name);
	}
	closedir(dir);
	return files;
}

static bool
has(struct str text, const char *part)
{
	return str_find(text, str_from(part)) < text.len;
}

/* Whatever is sent in between arrives before the worker can look. */
static void
stop(struct stage *stage)
{
	int status;

	REQUIRE(kill(stage->worker, SIGSTOP) == 0);
	REQUIRE(waitpid(stage->worker, &status, WUNTRACED) == stage->worker);
	REQUIRE(WIFSTOPPED(status));
}

static void
go_on(struct stage *stage)
{
	REQUIRE(kill(stage->worker, SIGCONT) == 0);
}

/* ---- jobs ---- */

TEST(a_job_is_filed_answered_and_forgotten)
{
	struct stage s;
	char path[4096];
	struct str mail;

	stage_begin(&s);
	stage_deliver(&s, 1, 1, WIRE_SAVED);
	stage_deliver(&s, 2, 1, WIRE_SAVED);
	REQUIRE(count_files(1, "new", path) == 2);
	mail = test_read(path);
	CHECK(str_starts(mail, STR("Return-Path: <ada@partner.example>\n"
				   "Delivered-To: user1@example.org\n"
				   "Received: from mx.example.org\n"
				   "\tby mail.example.org with LMTP\n"
				   "\tid SESSION\n")));
	CHECK(has(test_read(test_path("log")), "lmtp(user1)<"));
	CHECK(has(test_read(test_path("log")),
		"><SESSION:R2>: Info: msgid=<1@example.org>: saved mail to "
		"INBOX\n"));
	CHECK_INT(stage_finish(&s), 0);
}

TEST(fifty_recipients_share_one_file)
{
	enum { COUNT = 50 };
	struct stage s;
	char path[4096];
	struct stat first = {0}, found;
	unsigned i;

	stage_begin(&s);
	stage_deliver(&s, 1, COUNT, WIRE_SAVED);
	for (i = 1; i <= COUNT; i++) {
		REQUIRE(count_files(i, "new", path) == 1);
		REQUIRE(stat(path, &found) == 0);
		if (i == 1)
			first = found;
		CHECK_INT(found.st_ino, first.st_ino);
	}
	CHECK_UINT(first.st_nlink, COUNT);
	CHECK(!has(test_read(path), "user"));
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_handle_comes_with_what_is_remembered)
{
	static const unsigned char nothing[16];
	struct stage s;
	struct wire_job message = stage_letter(1, 1);
	struct wire_result result;

	stage_begin(&s);
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &message);
	result = stage_result(&s, 1, 1);
	CHECK(result.results[0].has_handle);
	CHECK_UINT(result.results[0].handle.uid, geteuid());
	CHECK(memcmp(result.results[0].handle.secret, nothing, 16) != 0);
	CHECK_STR_IS(test_read(test_path("finished")), "0\n");
	CHECK_INT(stage_finish(&s), 0);
}

TEST(what_was_delivered_before_has_the_handle_of_that_time)
{
	struct stage s;
	struct wire_job message = stage_letter(1, 1);
	struct wire_result result;

	test_file("state-has-it", "");
	stage_begin(&s);
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &message);
	result = stage_result(&s, 1, 1);
	CHECK_INT(result.results[0].outcome, WIRE_DISCARDED);
	CHECK(result.results[0].has_handle);
	CHECK_INT(result.results[0].handle.secret[0], 's');
	CHECK_INT(count_files(1, "new", NULL), 0);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(without_state_everything_is_temporary)
{
	struct stage s;

	test_file("state-is-down", "");
	stage_begin(&s);
	stage_deliver(&s, 1, 2, WIRE_FAILED);
	CHECK_INT(count_files(1, "new", NULL), 0);
	CHECK_INT(count_files(1, "tmp", NULL), 0);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(what_cannot_be_remembered_is_told_once_and_has_no_handle)
{
	struct stage s;
	struct str log;
	size_t at;

	test_file("state-is-unable", "");
	stage_begin(&s);
	stage_deliver(&s, 1, 2, WIRE_SAVED);
	stage_deliver(&s, 2, 1, WIRE_SAVED);
	log = test_read(test_path("log"));
	at = str_find(log, STR("cannot be remembered"));
	REQUIRE(at < log.len);
	CHECK(!has(str_skip(log, at + 1), "cannot be remembered"));
	CHECK(access(test_path("finished"), F_OK) < 0);
	CHECK_INT(stage_finish(&s), 0);
}

/* Whether an earlier try was filed cannot be found out: forgotten, it would be
 * filed twice. */
TEST(what_is_half_done_is_not_forgotten)
{
	struct stage s;
	struct wire_job message = stage_letter(1, 2);

	test_file("state-is-broken", "");
	stage_begin(&s);
	test_file("user1/Maildir/.Lists/new/1.M1P1.mx", "");
	REQUIRE(symlink("cur", test_path("user1/Maildir/.Lists/cur")) == 0);
	stage_assign(&s, 1, 2);
	stage_recipients(&s, 1, 2);
	stage_job(&s, &message);
	CHECK_INT(stage_result(&s, 1, 2).results[0].outcome, WIRE_FAILED);
	stage_idle(&s, 1);
	CHECK_INT(count_files(2, "new", NULL), 1);
	CHECK_STR_IS(test_read(test_path("finished")), "0\ncleared\n");
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_message_in_a_file_is_filed)
{
	struct stage s;
	struct wire_job job = stage_letter(1, 1);
	static char bytes[300000];
	char path[4096];

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "A: b\n\n", 6);
	job.file = open(test_file_bytes("spool", str_of(bytes, sizeof(bytes))),
		O_RDONLY | O_CLOEXEC);
	job.size = sizeof(bytes);
	job.message = STR_EMPTY;
	stage_begin(&s);
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &job);
	fd_close(&job.file);
	CHECK_INT(stage_result(&s, 1, 1).results[0].outcome, WIRE_SAVED);
	stage_idle(&s, 1);
	REQUIRE(count_files(1, "new", path) == 1);
	CHECK(str_ends(test_read(path), str_of(bytes, sizeof(bytes))));
	CHECK_INT(stage_finish(&s), 0);
}

/* ---- several jobs together ---- */

/* Job N is for user N. */
static void
assign_together(struct stage *s, unsigned count)
{
	unsigned n;

	for (n = 1; n <= count; n++)
		stage_assign_some(s, n, n, n, n < count);
}

static void
send_job(struct stage *s, unsigned number)
{
	struct wire_job job = stage_letter(number, 1);

	stage_recipients_some(s, number, number, number);
	stage_job(s, &job);
}

static void
expect_outcome(struct stage *s, unsigned job, enum wire_outcome outcome)
{
	CHECK_INT(stage_result(s, job, 1).results[0].outcome, outcome);
}

TEST(jobs_that_were_assigned_together_are_done_together)
{
	enum { COUNT = 3 };
	struct stage s;
	unsigned n;

	stage_begin(&s);
	assign_together(&s, COUNT);
	for (n = COUNT; n >= 1; n--)
		send_job(&s, n);
	for (n = 1; n <= COUNT; n++)
		expect_outcome(&s, n, WIRE_SAVED);
	stage_idle(&s, 1);
	for (n = 1; n <= COUNT; n++)
		CHECK_INT(count_files(n, "new", NULL), 1);
	CHECK_STR_IS(test_read(test_path("finished")), "0\n0\n0\n");
	CHECK_INT(stage_finish(&s), 0);
}

TEST(nothing_begins_before_each_of_them_is_there_or_cancelled)
{
	struct stage s;

	stage_begin(&s);
	assign_together(&s, 3);
	send_job(&s, 1);
	send_job(&s, 3);
	CHECK(!channel_wait(&s.front, clock_monotonic_ms() + 100));
	CHECK_INT(count_files(1, "new", NULL), -1);
	stage_number(&s.front, WIRE_JOB_CANCEL, 2);
	expect_outcome(&s, 1, WIRE_SAVED);
	expect_outcome(&s, 3, WIRE_SAVED);
	stage_idle(&s, 1);
	CHECK_INT(count_files(2, "new", NULL), -1);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(nothing_begins_before_all_of_them_are_assigned)
{
	struct stage s;

	stage_begin(&s);
	stage_assign_some(&s, 1, 1, 1, true);
	send_job(&s, 1);
	CHECK(!channel_wait(&s.front, clock_monotonic_ms() + 100));
	stage_assign_some(&s, 2, 2, 2, false);
	send_job(&s, 2);
	expect_outcome(&s, 1, WIRE_SAVED);
	expect_outcome(&s, 2, WIRE_SAVED);
	stage_idle(&s, 1);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(one_of_them_can_be_cancelled_while_they_run)
{
	struct stage s;

	stage_begin(&s);
	stop(&s);
	assign_together(&s, 2);
	send_job(&s, 1);
	send_job(&s, 2);
	stage_number(&s.front, WIRE_JOB_CANCEL, 1);
	go_on(&s);
	expect_outcome(&s, 1, WIRE_FAILED);
	expect_outcome(&s, 2, WIRE_SAVED);
	stage_idle(&s, 1);
	CHECK_INT(count_files(1, "new", NULL), 0);
	CHECK_INT(count_files(1, "tmp", NULL), 0);
	CHECK_INT(count_files(2, "new", NULL), 1);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(the_trouble_of_one_of_them_is_not_the_others)
{
	struct stage s;

	/* Where user1's mailbox would be there is a file. */
	test_file("user1", "in the way");
	stage_begin(&s);
	assign_together(&s, 2);
	send_job(&s, 1);
	send_job(&s, 2);
	expect_outcome(&s, 1, WIRE_FAILED);
	expect_outcome(&s, 2, WIRE_SAVED);
	stage_idle(&s, 1);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(their_front_takes_all_of_them_with_it)
{
	struct stage s;

	stage_begin(&s);
	assign_together(&s, 2);
	send_job(&s, 1);
	channel_close(&s.front);
	stage_idle(&s, 1);
	CHECK_INT(count_files(1, "new", NULL), -1);
	stage_give_front(&s);
	stage_deliver(&s, 5, 1, WIRE_SAVED);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_job_for_one_that_is_at_work_is_against_the_rules)
{
	struct stage s;

	stage_begin(&s);
	stage_assign(&s, 1, 1);
	stage_assign(&s, 2, 1);
	CHECK_INT(stage_finish(&s), 1);
	CHECK(has(test_read(test_path("log")), "master broke the rules"));
}

/* ---- the client goes, or the front ---- */

TEST(a_job_can_be_cancelled_before_it_comes)
{
	struct stage s;

	stage_begin(&s);
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_number(&s.front, WIRE_JOB_CANCEL, 1);
	stage_idle(&s, 1);
	CHECK_INT(count_files(1, "new", NULL), -1);
	stage_deliver(&s, 2, 1, WIRE_SAVED);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_job_can_be_cancelled_while_it_runs)
{
	struct stage s;
	struct wire_job job = stage_letter(1, 1);

	stage_begin(&s);
	stop(&s);
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &job);
	stage_number(&s.front, WIRE_JOB_CANCEL, 1);
	go_on(&s);
	CHECK_INT(stage_result(&s, 1, 1).results[0].outcome, WIRE_FAILED);
	stage_idle(&s, 1);
	CHECK_INT(count_files(1, "new", NULL), 0);
	CHECK_INT(count_files(1, "tmp", NULL), 0);
	stage_deliver(&s, 2, 1, WIRE_SAVED);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_cancel_that_comes_too_late_is_nobodys)
{
	struct stage s;
	struct wire_job job = stage_letter(2, 1);

	stage_begin(&s);
	stage_deliver(&s, 1, 1, WIRE_SAVED);
	stage_number(&s.front, WIRE_JOB_CANCEL, 1);
	stop(&s);
	stage_assign(&s, 2, 1);
	stage_recipients(&s, 2, 1);
	stage_job(&s, &job);
	stage_number(&s.front, WIRE_JOB_CANCEL, 1);
	go_on(&s);
	CHECK_INT(stage_result(&s, 2, 1).results[0].outcome, WIRE_SAVED);
	stage_idle(&s, 2);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_front_that_dies_takes_its_job_with_it)
{
	struct stage s;
	struct wire_job job = stage_letter(1, 1);

	stage_begin(&s);
	stop(&s);
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &job);
	channel_close(&s.front);
	go_on(&s);
	stage_idle(&s, 1);
	CHECK_INT(count_files(1, "new", NULL), 0);
	CHECK_INT(count_files(1, "tmp", NULL), 0);
	/* Its successor's job. */
	stage_give_front(&s);
	stage_deliver(&s, 1, 1, WIRE_SAVED);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(an_assigned_job_ends_with_its_front)
{
	struct stage s;

	stage_begin(&s);
	stage_assign(&s, 1, 1);
	stage_give_front(&s);
	stage_idle(&s, 1);
	stage_deliver(&s, 2, 1, WIRE_SAVED);
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_passed_deadline_files_nothing)
{
	struct stage s;
	struct wire_job job = stage_letter(1, 1);

	stage_begin(&s);
	job.deadline_ms = 1;
	stage_assign(&s, 1, 1);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &job);
	CHECK_INT(stage_result(&s, 1, 1).results[0].outcome, WIRE_FAILED);
	stage_idle(&s, 1);
	CHECK_INT(count_files(1, "new", NULL), 0);
	CHECK_INT(stage_finish(&s), 0);
}

/* ---- rules ---- */

TEST(a_front_that_breaks_the_rules_ends_the_worker)
{
	struct stage s;
	struct frame frame;
	struct err err;

	stage_begin(&s);
	frame_begin(&frame, WIRE_ASSIGN);
	REQUIRE(channel_send(&s.front, &frame, &err) == 0);
	CHECK(channel_wait(&s.master, clock_monotonic_ms() + PATIENCE_MS));
	CHECK_INT(stage_finish(&s), 1);
}

TEST(a_front_cannot_send_a_job_of_its_own)
{
	struct stage s;

	stage_begin(&s);
	stage_recipients(&s, 1, 1);
	CHECK(channel_wait(&s.master, clock_monotonic_ms() + PATIENCE_MS));
	CHECK_INT(count_files(1, "new", NULL), -1);
	CHECK_INT(stage_finish(&s), 1);
}

TEST(a_worker_ends_with_its_master)
{
	struct stage s;

	stage_begin(&s);
	CHECK_INT(stage_finish(&s), 0);
}

static void
send_drain(struct stage *stage)
{
	struct wire_drain drain = {.is_stop = true};
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_DRAIN);
	wire_drain(&frame, &drain);
	REQUIRE(channel_send(&stage->master, &frame, &err) == 0);
}

TEST(a_drained_worker_finishes_its_job)
{
	struct stage s;
	struct wire_job job = stage_letter(1, 1);

	stage_begin(&s);
	stage_assign(&s, 1, 1);
	send_drain(&s);
	stage_recipients(&s, 1, 1);
	stage_job(&s, &job);
	CHECK_INT(stage_result(&s, 1, 1).results[0].outcome, WIRE_SAVED);
	stage_idle(&s, 1);
	CHECK(channel_wait(&s.master, clock_monotonic_ms() + PATIENCE_MS));
	CHECK_INT(stage_finish(&s), 0);
}

TEST(a_drained_worker_without_a_job_ends)
{
	struct stage s;

	stage_begin(&s);
	send_drain(&s);
	CHECK(channel_wait(&s.master, clock_monotonic_ms() + PATIENCE_MS));
	CHECK_INT(stage_finish(&s), 0);
}

static struct err
ask(struct stage *stage, uint64_t size)
{
	struct wire_check question = {.request = 5,
		.user = stage_user(stage, 1),
		.size = size,
		.session = "S"};
	struct wire_checked answer = {0};
	struct frame frame;
	struct err err;

	frame_begin(&frame, WIRE_CHECK);
	wire_check(&frame, &question);
	REQUIRE(channel_send(&stage->master, &frame, &err) == 0);
	frame = stage_expect(stage, &stage->master, WIRE_CHECKED);
	wire_checked(&frame, &answer);
	CHECK_UINT(answer.request, 5);
	return answer.err;
}

TEST(a_recipient_is_checked_before_there_is_a_message)
{
	struct stage s;

	stage_begin(&s);
	CHECK_INT(ask(&s, 0).kind, ERR_NONE);
	CHECK_INT(ask(&s, 1024 * 1024).kind, ERR_NONE);
	CHECK_INT(ask(&s, 1024 * 1024 + 1).kind, ERR_TOO_BIG);
	stage_assign(&s, 1, 1);
	CHECK_INT(ask(&s, 0).kind, ERR_NONE);
	stage_recipients(&s, 1, 1);
	stage_number(&s.front, WIRE_JOB_CANCEL, 1);
	stage_idle(&s, 1);
	CHECK_INT(stage_finish(&s), 0);
}
