/* A worker's questions about what was seen, put to the state process
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/askmarks.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/privilege.h"
#include "server/claims.h"
#include "server/wire.h"
#include "tests/lib/test.h"
#include "tests/unit/server/statehelp.h"

#include "base/banned.h"

enum { MANY = 2500, SHORT_MS = 50 };

static struct state_server server;
static struct askmarks worker;
static struct err err;

static void
begin(void)
{
	state_server_init(&server);
	state_server_start(&server);
	askmarks_init(&worker, server.socket);
}

static void
end(void)
{
	askmarks_clear(&worker);
	CHECK_INT(state_server_stop(&server), 0);
	arena_close(&server.arena);
}

static struct seen_mark
make(unsigned number)
{
	struct seen_mark mark = {
		.expires_s = (uint64_t)clock_now().tv_sec + 1000};

	memcpy(mark.key, &number, sizeof(number));
	return mark;
}

static int
keep(struct askmarks *ask, unsigned number)
{
	struct seen_mark mark = make(number);

	return askmarks_keep(ask, &mark, 1, &err);
}

static enum lookup
find(struct askmarks *ask, unsigned number)
{
	struct seen_mark mark = make(number);

	return askmarks_find(ask, mark.key, &err);
}

TEST(what_one_worker_keeps_another_one_finds)
{
	struct askmarks other;

	begin();
	askmarks_init(&other, server.socket);
	CHECK_INT(find(&worker, 1), LOOKUP_NONE);
	CHECK_INT(keep(&worker, 1), 0);
	CHECK_INT(find(&other, 1), LOOKUP_FOUND);
	CHECK_INT(find(&other, 2), LOOKUP_NONE);
	askmarks_clear(&other);
	end();
}

static enum lookup
claim(struct askmarks *ask, unsigned number)
{
	struct seen_mark mark = make(number);

	return askmarks_claim(ask, &mark, &err);
}

TEST(of_two_workers_who_claim_a_mark_one_gets_it)
{
	struct askmarks other;
	struct seen_mark past = make(1);

	begin();
	askmarks_init(&other, server.socket);
	CHECK_INT(claim(&worker, 1), LOOKUP_FOUND);
	CHECK_INT(claim(&other, 1), LOOKUP_NONE);
	CHECK_INT(claim(&worker, 1), LOOKUP_NONE);
	CHECK_INT(find(&other, 1), LOOKUP_FOUND);
	past.expires_s = (uint64_t)clock_now().tv_sec;
	CHECK_INT(askmarks_keep(&worker, &past, 1, &err), 0);
	CHECK_INT(claim(&other, 1), LOOKUP_FOUND);
	CHECK_INT(keep(&worker, 2), 0);
	CHECK_INT(claim(&other, 2), LOOKUP_NONE);
	askmarks_clear(&other);
	end();
}

static void
send_mark(struct channel *link, unsigned number, uint32_t uid, unsigned seconds)
{
	struct seen_mark mark = make(number);
	struct wire_mark_of mark_of = {.uid = uid,
		.item = {.expires_s = (uint64_t)clock_now().tv_sec + seconds,
			.kind = WIRE_MARK_REDIRECT}};
	struct frame frame;

	memcpy(mark_of.item.key, mark.key, sizeof(mark_of.item.key));
	frame_begin(&frame, WIRE_MARK_OF);
	wire_mark_of(&frame, &mark_of);
	CHECK_INT(channel_send(link, &frame, &err), 0);
}

TEST(a_mailer_gives_the_mark_of_a_user_back)
{
	struct channel mailer;

	begin();
	state_server_link_mailer(&server, &mailer);
	CHECK_INT(keep(&worker, 1), 0);
	CHECK_INT(keep(&worker, 2), 0);
	send_mark(&mailer, 2, (uint32_t)geteuid() + 1, 0);
	send_mark(&mailer, 1, (uint32_t)geteuid(), 0);
	/* Nobody answers; what is not done at once fails by the test's time. */
	while (find(&worker, 1) == LOOKUP_FOUND)
		continue;
	CHECK_INT(find(&worker, 1), LOOKUP_NONE);
	CHECK_INT(find(&worker, 2), LOOKUP_FOUND);
	channel_close(&mailer);
	end();
}

TEST(a_mailer_keeps_the_mark_of_what_has_left_for_its_user)
{
	struct channel mailer;

	begin();
	state_server_link_mailer(&server, &mailer);
	send_mark(&mailer, 2, (uint32_t)geteuid() + 1, 60);
	send_mark(&mailer, 1, (uint32_t)geteuid(), 60);
	while (find(&worker, 1) != LOOKUP_FOUND)
		continue;
	CHECK_INT(find(&worker, 2), LOOKUP_NONE);
	channel_close(&mailer);
	end();
}

TEST(a_front_gives_no_mark_back)
{
	struct frame frame;

	begin();
	CHECK_INT(keep(&worker, 1), 0);
	send_mark(&server.link, 1, (uint32_t)geteuid(), 0);
	CHECK_INT(channel_receive(&server.link, server.arena, &frame, &err),
		LOOKUP_ERROR);
	CHECK_INT(find(&worker, 1), LOOKUP_FOUND);
	end();
}

TEST(a_claim_that_nobody_answers_is_an_error)
{
	begin();
	CHECK_INT(state_server_kill(&server), 128 + SIGKILL);
	worker.timeout_ms = SHORT_MS;
	CHECK_INT(claim(&worker, 1), LOOKUP_ERROR);
	state_server_start(&server);
	end();
}

TEST(a_mark_of_the_past_is_not_found)
{
	struct seen_mark mark = make(1);

	begin();
	mark.expires_s = (uint64_t)clock_now().tv_sec;
	CHECK_INT(askmarks_keep(&worker, &mark, 1, &err), 0);
	CHECK_INT(find(&worker, 1), LOOKUP_NONE);
	end();
}

TEST(more_marks_than_a_frame_takes_are_kept_in_several)
{
	static struct seen_mark marks[MANY];
	unsigned i;

	begin();
	for (i = 0; i < MANY; i++)
		marks[i] = make(i);
	CHECK_INT(askmarks_keep(&worker, marks, MANY, &err), 0);
	CHECK_INT(find(&worker, 0), LOOKUP_FOUND);
	CHECK_INT(find(&worker, MANY - 1), LOOKUP_FOUND);
	end();
}

TEST(marks_outlive_a_state_that_is_killed)
{
	begin();
	CHECK_INT(keep(&worker, 1), 0);
	CHECK_INT(state_server_kill(&server), 128 + SIGKILL);
	state_server_start(&server);
	CHECK_INT(find(&worker, 1), LOOKUP_FOUND);
	CHECK_INT(state_server_kill(&server), 128 + SIGKILL);
	state_server_start(&server);
	CHECK_INT(keep(&worker, 2), 0);
	CHECK_INT(find(&worker, 2), LOOKUP_FOUND);
	end();
}

/* Whatever is answered is on disk: it was, when the worker heard of it. */
TEST(what_was_answered_is_there_after_a_kill_at_any_moment)
{
	unsigned i, kept = 0;

	begin();
	for (i = 0; i < 10; i++) {
		pid_t killer = fork();

		if (killer == 0) {
			(void)!usleep(1000 + i * 700);
			kill(server.pid, SIGKILL);
			_exit(0);
		}
		worker.timeout_ms = SHORT_MS;
		while (keep(&worker, kept) == 0)
			kept++;
		askmarks_clear(&worker);
		waitpid(killer, NULL, 0);
		CHECK_INT(state_server_wait(&server), 128 + SIGKILL);
		state_server_start(&server);
	}
	worker.timeout_ms = ASKMARKS_TIMEOUT_MS;
	for (i = 0; i < kept; i++)
		if (find(&worker, i) != LOOKUP_FOUND)
			CHECK_UINT(i, kept);
	end();
}

TEST(a_state_that_hangs_is_an_error_in_time)
{
	begin();
	CHECK_INT(keep(&worker, 1), 0);
	kill(server.pid, SIGSTOP);
	worker.timeout_ms = SHORT_MS;
	CHECK_INT(find(&worker, 1), LOOKUP_ERROR);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_INT(keep(&worker, 2), -1);
	kill(server.pid, SIGCONT);
	worker.timeout_ms = ASKMARKS_TIMEOUT_MS;
	/* Not the answer to a question that was given up. */
	CHECK_INT(find(&worker, 3), LOOKUP_NONE);
	CHECK_INT(find(&worker, 1), LOOKUP_FOUND);
	end();
}

TEST(nobody_who_listens_is_an_error)
{
	askmarks_init(&worker, test_path("nobody"));
	CHECK_INT(find(&worker, 1), LOOKUP_ERROR);
	CHECK_INT(keep(&worker, 1), -1);
	askmarks_clear(&worker);
}

TEST(claims_under_way_are_not_touched_by_marks)
{
	struct claims claims;
	struct claim claim = {.key = {1}, .secret = {2}, .value = STR("v")};
	struct wire_finish_item item = {.key = {1}, .outcome = WIRE_SAVED};

	begin();
	claims_init(&claims, server.socket);
	REQUIRE(claims_ask(&claims, server.arena, &claim, 1, &err) == 0);
	CHECK_INT(claim.state, WIRE_CLAIM_GRANTED);
	CHECK_INT(keep(&worker, 1), 0);
	CHECK_INT(claims_finish(&claims, &item, 1, &err), 0);
	CHECK_INT(keep(&worker, 2), 0);
	CHECK_INT(find(&worker, 1), LOOKUP_FOUND);
	REQUIRE(claims_ask(&claims, server.arena, &claim, 1, &err) == 0);
	CHECK_INT(claim.state, WIRE_CLAIM_FINISHED);
	claims_clear(&claims);
	end();
}

static void
be_another(void *context UNUSED)
{
	const struct identity identity = {.uid = 54321, .gid = 54321};
	struct askmarks other;

	REQUIRE(privilege_become(&identity, &err) == 0);
	askmarks_init(&other, server.socket);
	CHECK_INT(find(&other, 1), LOOKUP_NONE);
	CHECK_INT(keep(&other, 2), 0);
	askmarks_clear(&other);
}

TEST(a_user_meets_no_marks_of_another_one)
{
	if (!privilege_is_root())
		SKIP("needs root");
	begin();
	CHECK_INT(chmod(test_folder(), 0711), 0);
	CHECK_INT(chmod(test_path(".."), 0711), 0);
	CHECK_INT(keep(&worker, 1), 0);
	CHECK_INT(test_child(be_another, NULL), 0);
	CHECK_INT(find(&worker, 2), LOOKUP_NONE);
	CHECK_INT(find(&worker, 1), LOOKUP_FOUND);
	end();
}
