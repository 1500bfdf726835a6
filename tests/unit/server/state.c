/* State over its sockets, with the client side that workers use.
 *
 * SPDX-License-Identifier: MIT */
#include "server/state.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/privilege.h"
#include "dict/dict.h"
#include "server/claims.h"
#include "tests/lib/test.h"
#include "tests/unit/server/statehelp.h"

#include "base/banned.h"

static struct state_server server;
static struct claims worker;
static struct err err;

static void
begin(void)
{
	state_server_init(&server);
	state_server_start(&server);
	claims_init(&worker, server.socket);
}

static void
end(void)
{
	claims_clear(&worker);
	CHECK_INT(state_server_stop(&server), 0);
	arena_close(&server.arena);
}

static struct claim
make(uint64_t key, const char *value)
{
	struct claim claim = {.value = str_from(value)};

	memcpy(claim.key, &key, sizeof(key));
	memset(claim.secret, 's', sizeof(claim.secret));
	return claim;
}

static enum wire_claim_state
ask(struct claims *claims, uint64_t key)
{
	struct claim claim = make(key, "value");

	if (claims_ask(claims, server.arena, &claim, 1, &err) < 0) {
		test_failed(__FILE__, __LINE__, err_log_text(&err));
		test_end();
	}
	return claim.state;
}

static void
finish(struct claims *claims, uint64_t key, enum wire_outcome outcome)
{
	struct wire_finish_item item = {.outcome = outcome};

	memcpy(item.key, &key, sizeof(key));
	CHECK_INT(claims_finish(claims, &item, 1, &err), 0);
}

static int
send_confirm(uint64_t key, uint32_t uid)
{
	struct wire_handle handle = {.uid = uid};
	struct wire_confirm confirm = {5, &handle, 1};
	struct frame frame;

	memcpy(handle.key, &key, sizeof(key));
	memset(handle.secret, 's', sizeof(handle.secret));
	frame_begin(&frame, WIRE_CONFIRM);
	wire_confirm(&frame, &confirm);
	return channel_send(&server.link, &frame, &err);
}

static int
wait_confirmed(void)
{
	struct wire_confirmed confirmed;
	struct frame frame;
	int type;

	if (channel_receive(&server.link, server.arena, &frame, &err) !=
		LOOKUP_FOUND)
		return -1;
	type = (int)frame.type;
	wire_confirmed(&frame, &confirmed);
	CHECK_INT(type, WIRE_CONFIRMED);
	CHECK(frame_is_whole(&frame));
	CHECK_UINT(confirmed.request, 5);
	frame_close(&frame);
	return 0;
}

static void
confirm(uint64_t key)
{
	REQUIRE(send_confirm(key, getuid()) == 0 && wait_confirmed() == 0);
}

TEST(a_delivery_is_remembered_until_it_is_confirmed)
{
	struct claims other;

	begin();
	claims_init(&other, server.socket);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_BUSY);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_FINISHED);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_FINISHED);
	CHECK_UINT(worker.held, 0);
	confirm(1);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_GRANTED);
	CHECK_UINT(other.held, 1);
	finish(&other, 1, WIRE_FAILED);
	claims_clear(&other);
	end();
}

TEST(a_connection_that_ends_leaves_broken_claims)
{
	struct claims other;
	struct claim claim;

	begin();
	claims_init(&other, server.socket);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	claims_clear(&worker);
	/* It may not be seen at once. */
	while ((claim = make(1, "other"), claims_ask(&other, server.arena,
						  &claim, 1, &err)) == 0 &&
		claim.state == WIRE_CLAIM_BUSY)
		usleep(1000);
	CHECK_INT(claim.state, WIRE_CLAIM_BROKEN);
	CHECK_STR_IS(claim.found, "value");
	REQUIRE(claims_again(&other, server.arena, &claim, 1, &err) == 0);
	CHECK_INT(claim.state, WIRE_CLAIM_GRANTED);
	finish(&other, 1, WIRE_SAVED);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_FINISHED);
	claims_clear(&other);
	end();
}

TEST(more_items_than_a_frame_takes_are_asked_in_several)
{
	enum { COUNT = 9000 };
	static struct claim items[COUNT];
	static struct wire_finish_item ends[COUNT];
	size_t i, wrong = 0;

	begin();
	for (i = 0; i < COUNT; i++)
		items[i] = make(i, i % 3 ? "a short value" : "");
	REQUIRE(claims_ask(&worker, server.arena, items, COUNT, &err) == 0);
	CHECK_UINT(worker.held, COUNT);
	for (i = 0; i < COUNT; i++) {
		wrong += items[i].state != WIRE_CLAIM_GRANTED;
		memcpy(ends[i].key, items[i].key, sizeof(ends[i].key));
		ends[i].outcome = i % 2 ? WIRE_DISCARDED : WIRE_FAILED;
	}
	CHECK_UINT(wrong, 0);
	REQUIRE(claims_finish(&worker, ends, COUNT, &err) == 0);
	CHECK_UINT(worker.held, 0);
	REQUIRE(claims_ask(&worker, server.arena, items, COUNT, &err) == 0);
	for (i = 0; i < COUNT; i++)
		wrong += i % 2 ? items[i].state != WIRE_CLAIM_FINISHED ||
		                         items[i].outcome != WIRE_DISCARDED
		               : items[i].state != WIRE_CLAIM_GRANTED;
	CHECK_UINT(wrong, 0);
	end();
}

TEST(a_value_that_is_too_long_is_not_asked_about)
{
	static char value[CLAIM_VALUE_MAX + 2];
	struct claim items[3] = {make(1, "a"), make(2, ""), make(3, "c")};

	begin();
	memset(value, 'v', sizeof(value) - 1);
	items[1].value = str_from(value);
	REQUIRE(claims_ask(&worker, server.arena, items, 3, &err) == 0);
	CHECK_INT(items[0].state, WIRE_CLAIM_GRANTED);
	CHECK_INT(items[1].state, WIRE_CLAIM_UNABLE);
	CHECK_INT(items[2].state, WIRE_CLAIM_GRANTED);
	items[1].value.len--;
	REQUIRE(claims_ask(&worker, server.arena, items + 1, 1, &err) == 0);
	CHECK_INT(items[1].state, WIRE_CLAIM_GRANTED);
	end();
}

/* The worker's connection in place of the link. */
static void
speak_as_client(void)
{
	channel_close(&server.link);
	server.link = worker.channel;
	worker.channel.fd = -1;
}

TEST(a_client_may_confirm_what_is_its_users)
{
	struct claims other;

	begin();
	claims_init(&other, server.socket);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_FINISHED);
	speak_as_client();
	confirm(1);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_GRANTED);
	claims_clear(&other);
	end();
}

TEST(what_is_no_frame_closes_its_client_alone)
{
	struct claims other;
	struct str wrong[] = {STR("x"), STR("\1\0\106\0garbage"),
		STR("\1\0\106\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff"),
		STR("\1\0\1\0"), STR("\1\0\110\0\1\0\0\0")};
	struct frame frame;
	size_t i;

	begin();
	claims_init(&other, server.socket);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_GRANTED);
	for (i = 0; i < ARRAY_LENGTH(wrong); i++) {
		struct channel channel;

		channel_open(&channel, channel_connect(server.socket), true);
		CHECK_INT(write(channel.fd, wrong[i].data, wrong[i].len),
			wrong[i].len);
		CHECK_INT(channel_receive(&channel, server.arena, &frame, &err),
			LOOKUP_ERROR);
		channel_close(&channel);
	}
	finish(&other, 1, WIRE_SAVED);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_FINISHED);
	claims_clear(&other);
	end();
}

/* 100 bytes are asked for, 30 KB would come back. */
TEST(a_client_that_reads_no_answers_stops_no_other)
{
	struct claim claim;
	static char value[30000];
	struct channel channel;
	struct claims other;
	int i;

	begin();
	memset(value, 'v', sizeof(value) - 1);
	CHECK_INT((claim = make(1, value),
			  claims_ask(&worker, server.arena, &claim, 1, &err)),
		0);
	channel_open(&channel, channel_connect(server.socket), false);
	for (i = 0; i < 20000; i++) {
		struct wire_claim_item item = {.value = STR("v")};
		struct wire_claim request = {1, &item, 1};
		struct frame frame;

		frame_begin(&frame, WIRE_CLAIM);
		wire_claim(&frame, &request);
		if (channel_send(&channel, &frame, &err) < 0)
			break;
	}
	claims_init(&other, server.socket);
	CHECK_INT(ask(&other, 2), WIRE_CLAIM_GRANTED);
	claims_clear(&other);
	channel_close(&channel);
	end();
}

TEST(a_second_server_ends_with_a_status_of_its_own)
{
	struct state_server second;

	begin();
	second = server;
	state_server_start(&second);
	CHECK_INT(state_server_wait(&second), STATE_EXIT_IN_USE);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	finish(&worker, 1, WIRE_SAVED);
	end();
}

TEST(without_a_place_on_disk_it_remembers_until_its_end)
{
	state_server_init(&server);
	server.folder = test_path("no/such/place");
	state_server_start(&server);
	claims_init(&worker, server.socket);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_FINISHED);
	end();
}

TEST(it_ends_when_master_does)
{
	begin();
	channel_close(&server.master);
	CHECK(state_server_wait(&server) != 0);
	claims_clear(&worker);
	arena_close(&server.arena);
}

TEST(what_is_held_is_waited_for_at_the_end)
{
	struct wire_drain drain = {.is_stop = true};
	struct frame frame;
	struct claim claim = make(1, "");

	begin();
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	frame_begin(&frame, WIRE_DRAIN);
	wire_drain(&frame, &drain);
	REQUIRE(channel_send(&server.master, &frame, &err) == 0);
	usleep(20000);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(state_server_wait(&server), 0);
	state_server_start(&server);
	claims_clear(&worker);
	REQUIRE(claims_ask(&worker, server.arena, &claim, 1, &err) == 0);
	CHECK_INT(claim.state, WIRE_CLAIM_FINISHED);
	end();
}

TEST(a_question_after_a_restart_is_asked_again)
{
	begin();
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_FINISHED);
	CHECK_INT(state_server_kill(&server), 128 + SIGKILL);
	state_server_start(&server);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_FINISHED);
	end();
}

TEST(a_question_while_something_is_held_is_not)
{
	struct claim claim = make(2, "");

	begin();
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	CHECK_INT(state_server_kill(&server), 128 + SIGKILL);
	state_server_start(&server);
	CHECK_INT(claims_ask(&worker, server.arena, &claim, 1, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	CHECK_UINT(worker.held, 0);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_BROKEN);
	finish(&worker, 1, WIRE_SAVED);
	end();
}

TEST(nobody_who_answers_is_an_error_in_time)
{
	struct claim claim = make(1, "");

	state_server_init(&server);
	claims_init(&worker, server.socket);
	worker.timeout_ms = 50;
	CHECK_INT(claims_ask(&worker, server.arena, &claim, 1, &err), -1);
	CHECK_INT(err.kind, ERR_TEMPORARY);
	claims_clear(&worker);
	claims_init(&worker, test_path("nobody"));
	CHECK_INT(claims_ask(&worker, server.arena, &claim, 1, &err), -1);
	claims_clear(&worker);
	arena_close(&server.arena);
}

/* ---- two users ---- */

static void
be_another(void *context UNUSED)
{
	const struct identity identity = {.uid = 54321, .gid = 54321};
	struct claims other;
	struct claim again = make(1, "");

	REQUIRE(privilege_become(&identity, &err) == 0);
	claims_init(&other, server.socket);
	CHECK_INT(ask(&other, 1), WIRE_CLAIM_GRANTED);
	finish(&other, 1, WIRE_FAILED);
	finish(&other, 1, WIRE_SAVED);
	REQUIRE(claims_again(&other, server.arena, &again, 1, &err) == 0);
	CHECK_INT(again.state, WIRE_CLAIM_GRANTED);
	claims_clear(&other);
}

TEST(a_user_meets_no_entries_of_another_one)
{
	if (!privilege_is_root())
		SKIP("needs root");
	begin();
	CHECK_INT(chmod(test_folder(), 0711), 0);
	CHECK_INT(chmod(test_path(".."), 0711), 0);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	CHECK_INT(test_child(be_another, NULL), 0);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_BUSY);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_FINISHED);
	end();
}

static void
confirm_anothers(void *context UNUSED)
{
	const struct identity identity = {.uid = 54321, .gid = 54321};
	struct frame frame;

	REQUIRE(privilege_become(&identity, &err) == 0);
	claims_init(&worker, server.socket);
	CHECK_INT(ask(&worker, 2), WIRE_CLAIM_GRANTED);
	speak_as_client();
	REQUIRE(send_confirm(1, 0) == 0);
	CHECK_INT(channel_receive(&server.link, server.arena, &frame, &err),
		LOOKUP_ERROR);
}

TEST(a_client_that_confirms_what_is_anothers_is_closed)
{
	if (!privilege_is_root())
		SKIP("needs root");
	begin();
	CHECK_INT(chmod(test_folder(), 0711), 0);
	CHECK_INT(chmod(test_path(".."), 0711), 0);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	finish(&worker, 1, WIRE_SAVED);
	CHECK_INT(test_child(confirm_anothers, NULL), 0);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_FINISHED);
	end();
}

enum {
	DESCRIPTORS = 164, /* of state: 100 are left for clients */
	PLACES_OF_ONE = 25,
	PLACES_OF_ROOT = 60
};

static void
open_clients(int *fds, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		fds[i] = channel_connect(server.socket);
		REQUIRE(fds[i] >= 0);
	}
}

/* They are taken in order: nobody was asked before the last one is closed. */
static void
take_all_places(void *context UNUSED)
{
	const struct identity identity = {.uid = 54321, .gid = 54321};
	int fds[PLACES_OF_ONE + 1];
	char byte;
	size_t i;

	REQUIRE(privilege_become(&identity, &err) == 0);
	open_clients(fds, PLACES_OF_ONE + 1);
	CHECK_INT(recv(fds[PLACES_OF_ONE], &byte, 1, 0), 0);
	for (i = 0; i < PLACES_OF_ONE; i++)
		CHECK_INT(recv(fds[i], &byte, 1, MSG_DONTWAIT), -1);
}

TEST(one_user_does_not_take_all_places_of_the_others)
{
	const struct rlimit few = {DESCRIPTORS, DESCRIPTORS};
	int fds[PLACES_OF_ROOT];
	size_t i;

	if (!privilege_is_root())
		SKIP("needs root");
	/* Of this test's process and what it starts. */
	REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
	begin();
	CHECK_INT(chmod(test_folder(), 0711), 0);
	CHECK_INT(chmod(test_path(".."), 0711), 0);
	/* The server's own workers are no others. */
	open_clients(fds, PLACES_OF_ROOT);
	CHECK_INT(test_child(take_all_places, NULL), 0);
	CHECK_INT(ask(&worker, 1), WIRE_CLAIM_GRANTED);
	for (i = 0; i < PLACES_OF_ROOT; i++)
		close(fds[i]);
	end();
}

/* ---- killed at any point ---- */

enum { ROUNDS = 40, KEYS_MAX = 20000 };

enum known { HELD, PERHAPS_FINISHED, FINISHED, PERHAPS_GONE, GONE };

static struct {
	enum known known[KEYS_MAX];
	uint64_t first, count;
} load;

static bool
try_ask(struct claim *claim)
{
	return claims_ask(&worker, server.arena, claim, 1, &err) == 0;
}

/* Until state is killed. */
static void
deliver_until_killed(void)
{
	for (; load.count < KEYS_MAX; load.count++) {
		uint64_t key = load.count;
		struct claim claim =
			make(load.first + key, "the place of a future file");
		struct wire_finish_item item = {.outcome = WIRE_SAVED};

		load.known[key] = PERHAPS_GONE;
		if (!try_ask(&claim) || claim.state != WIRE_CLAIM_GRANTED)
			return;
		load.known[key] = HELD;
		/* FINISH has no answer: that of the next question proves it. */
		if (key > 0 && load.known[key - 1] == PERHAPS_FINISHED)
			load.known[key - 1] = FINISHED;
		if (key % 7 == 3)
			continue; /* held until the end */
		memcpy(item.key, claim.key, sizeof(item.key));
		load.known[key] = PERHAPS_FINISHED;
		if (claims_finish(&worker, &item, 1, &err) < 0)
			return;
		if (key % 2 == 0)
			continue;
		load.known[key] = PERHAPS_GONE;
		if (send_confirm(load.first + key, getuid()) < 0 ||
			wait_confirmed() < 0)
			return;
		load.known[key] = GONE;
	}
}

static bool
is_as_known(uint64_t key, enum wire_claim_state state)
{
	switch (load.known[key]) {
	case HELD:
		return state == WIRE_CLAIM_BROKEN;
	case PERHAPS_FINISHED:
		return state == WIRE_CLAIM_BROKEN ||
		       state == WIRE_CLAIM_FINISHED;
	case FINISHED:
		return state == WIRE_CLAIM_FINISHED;
	case PERHAPS_GONE:
		return state == WIRE_CLAIM_BROKEN ||
		       state == WIRE_CLAIM_FINISHED ||
		       state == WIRE_CLAIM_GRANTED;
	case GONE:
		return state == WIRE_CLAIM_GRANTED;
	}
	return false;
}

/* A question that was asked again while nobody served waits at the new process'
 * door, which reads it before it sees that who asked has gone. */
static void
wait_while_busy(
	struct claims *checker, struct arena *arena, struct claim *claim)
{
	while (claim->state == WIRE_CLAIM_BUSY) {
		usleep(1000);
		REQUIRE(claims_ask(checker, arena, claim, 1, &err) == 0);
	}
}

static void
check_all(void)
{
	struct arena *arena = arena_open();
	uint64_t count = load.count < KEYS_MAX ? load.count + 1 : KEYS_MAX, key;
	struct claim *items = ARENA_ARRAY(arena, struct claim, count);
	struct claims checker;

	claims_init(&checker, server.socket);
	for (key = 0; key < count; key++)
		items[key] = make(load.first + key, "");
	REQUIRE(claims_ask(&checker, arena, items, count, &err) == 0);
	for (key = 0; key < count; key++) {
		if (load.known[key] == PERHAPS_GONE)
			wait_while_busy(&checker, arena, &items[key]);
		if (!is_as_known(key, items[key].state))
			test_failed(__FILE__, __LINE__,
				arena_format(arena, "key %d: known %d, is %d",
					(int)key, (int)load.known[key],
					(int)items[key].state));
	}
	claims_clear(&checker);
	arena_close(&arena);
}

static pid_t
kill_later(pid_t pid, unsigned after_us)
{
	pid_t killer = fork();

	REQUIRE(killer >= 0);
	if (killer == 0) {
		usleep(after_us);
		kill(pid, SIGKILL);
		_exit(0);
	}
	return killer;
}

TEST(nothing_is_lost_when_it_is_killed_at_any_point)
{
	uint64_t slowest = 0, all = 0;
	unsigned round, after_us;
	glob_t broken;

	state_server_init(&server);
	for (round = 0; round < ROUNDS; round++) {
		uint64_t begun;
		pid_t killer;

		/* All in one environment, under other keys. */
		memset(&load, 0, sizeof(load));
		load.first = (uint64_t)round << 32;
		state_server_start(&server);
		claims_init(&worker, server.socket);
		worker.timeout_ms = 300;
		clock_random(&after_us, sizeof(after_us));
		killer = kill_later(server.pid, after_us % 60000);
		deliver_until_killed();
		claims_clear(&worker);
		CHECK_INT(waitpid(killer, NULL, 0), killer);
		CHECK_INT(state_server_wait(&server), 128 + SIGKILL);
		begun = clock_monotonic_ms();
		state_server_start(&server);
		begun = clock_monotonic_ms() - begun;
		slowest = begun > slowest ? begun : slowest;
		all += load.count;
		check_all();
		CHECK_INT(state_server_kill(&server), 128 + SIGKILL);
	}
	CHECK_INT(glob(test_path("state/env/db.broken*"), 0, NULL, &broken),
		GLOB_NOMATCH);
	printf("# %llu deliveries, slowest restart %llu ms\n",
		(unsigned long long)all, (unsigned long long)slowest);
	arena_close(&server.arena);
}
