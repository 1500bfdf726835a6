/* SPDX-License-Identifier: MIT */
#include "server/ledger.h"

#include "dict/driver.h"
#include "tests/lib/test.h"

#include "base/banned.h"

enum { AMY = 1000, BEN = 1001 };

static struct arena *arena;
static struct dict *dict;
static struct ledger *ledger;
static struct ledger_limits limits;
static uint64_t now_s;
static struct err err;

static void
open_ledger(void)
{
	REQUIRE(ledger_open(dict, &limits, &ledger, &err) == 0);
}

static void
begin(void)
{
	arena = arena_open();
	dict = dict_open_memory();
	limits = ledger_limits_default;
	now_s = 1000 * 1000;
	open_ledger();
}

static void
end(void)
{
	ledger_close(&ledger);
	dict_close(&dict);
	arena_close(&arena);
}

/* Nobody holds anything any more. */
static void
restart(void)
{
	ledger_close(&ledger);
	open_ledger();
}

#define LEDGER_TEST(name)                                                      \
	static void name(void);                                                \
	TEST(name)                                                             \
	{                                                                      \
		begin();                                                       \
		name();                                                        \
		end();                                                         \
	}                                                                      \
	static void name(void)

static struct wire_claim_item
item(char key, char secret, const char *value)
{
	struct wire_claim_item item;

	memset(item.key, key, sizeof(item.key));
	memset(item.secret, secret, sizeof(item.secret));
	item.value = str_from(value);
	return item;
}

static struct wire_claimed_item
ask(struct ledger_owner *owner, bool is_again, char key, char secret,
	const char *value)
{
	struct wire_claim_item one = item(key, secret, value);
	struct wire_claim claim = {7, &one, 1};
	struct wire_claimed claimed;

	ledger_begin(ledger, now_s);
	ledger_claim(ledger, arena, owner, is_again, &claim, &claimed);
	if (ledger_commit(ledger, &err) < 0)
		CHECK_INT(claimed.items[0].state, WIRE_CLAIM_UNABLE);
	CHECK_UINT(claimed.request, 7);
	CHECK_UINT(claimed.count, 1);
	return claimed.items[0];
}

static enum wire_claim_state
claim(struct ledger_owner *owner, char key, char secret)
{
	return ask(owner, false, key, secret, "value").state;
}

static void
finish(struct ledger_owner *owner, char key, enum wire_outcome outcome)
{
	struct wire_finish_item one = {.outcome = outcome};
	struct wire_finish request = {&one, 1};

	memset(one.key, key, sizeof(one.key));
	ledger_begin(ledger, now_s);
	ledger_finish(ledger, owner, &request);
	if (ledger_commit(ledger, &err) < 0)
		return;
}

static void
confirm(uint32_t uid, char key, char secret)
{
	struct wire_handle one = {.uid = uid};
	struct wire_confirm request = {1, &one, 1};

	memset(one.key, key, sizeof(one.key));
	memset(one.secret, secret, sizeof(one.secret));
	ledger_begin(ledger, now_s);
	ledger_confirm(ledger, &request);
	if (ledger_commit(ledger, &err) < 0)
		return;
}

/* What is in the dict, and what is counted, must be the same. */
static size_t
count(void)
{
	struct dict_walk walk;

	REQUIRE(dict_walk(dict, arena, STR_EMPTY, 10000, &walk, &err) == 0);
	CHECK_UINT(ledger_counters(ledger).entries, walk.count);
	return walk.count;
}

LEDGER_TEST(a_first_claim_is_granted_and_on_disk)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_UINT(count(), 1);
	CHECK_UINT(worker.count, 1);
}

LEDGER_TEST(a_claim_is_busy_while_its_owner_lives)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&other, 'k', 't'), WIRE_CLAIM_BUSY);
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_BUSY);
	CHECK_INT(claim(&other, 'l', 't'), WIRE_CLAIM_GRANTED);
	CHECK_UINT(ledger_counters(ledger).busy, 2);
}

LEDGER_TEST(another_uid_has_entries_of_its_own)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = BEN};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&other, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&other, 'k', WIRE_SAVED);
	CHECK_UINT(worker.count, 1);
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_BUSY);
	confirm(AMY + 65536, 'k', 's');
	CHECK_UINT(count(), 2);
}

LEDGER_TEST(what_is_finished_is_told_with_its_outcome_and_secret)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = AMY};
	struct wire_claimed_item answer;
	unsigned char secret[16];

	memset(secret, 's', sizeof(secret));
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'k', WIRE_DISCARDED);
	CHECK_UINT(worker.count, 0);
	answer = ask(&other, false, 'k', 't', "");
	CHECK_INT(answer.state, WIRE_CLAIM_FINISHED);
	CHECK_INT(answer.outcome, WIRE_DISCARDED);
	CHECK(memcmp(answer.secret, secret, sizeof(secret)) == 0);
	CHECK_UINT(other.count, 0);
	restart();
	CHECK_INT(claim(&other, 'k', 't'), WIRE_CLAIM_FINISHED);
}

LEDGER_TEST(what_failed_is_forgotten)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'k', WIRE_FAILED);
	CHECK_UINT(count(), 0);
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
}

LEDGER_TEST(what_is_confirmed_is_gone)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'k', WIRE_SAVED);
	confirm(AMY, 'k', 's');
	CHECK_UINT(count(), 0);
	confirm(AMY, 'k', 's');
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_UINT(ledger_counters(ledger).confirmed, 1);
}

LEDGER_TEST(a_wrong_secret_confirms_nothing)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	confirm(AMY, 'k', 'x');
	CHECK_UINT(worker.count, 1);
	finish(&worker, 'k', WIRE_SAVED);
	confirm(AMY, 'k', 'x');
	confirm(BEN, 'k', 's');
	confirm(AMY, 'l', 's');
	CHECK_UINT(count(), 1);
	CHECK_UINT(ledger_counters(ledger).confirmed, 0);
}

/* They come by two sockets. */
LEDGER_TEST(a_confirm_that_overtakes_its_finish_ends_the_entry)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	confirm(AMY, 'k', 's');
	CHECK_UINT(count(), 0);
	CHECK_UINT(worker.count, 0);
	/* The same message again, on purpose, before the FINISH is read. */
	CHECK_INT(claim(&other, 'k', 't'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'k', WIRE_SAVED);
	CHECK_UINT(other.count, 1);
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_BUSY);
	finish(&other, 'k', WIRE_SAVED);
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_FINISHED);
}

LEDGER_TEST(only_the_owner_finishes)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&other, 'k', WIRE_FAILED);
	finish(&other, 'k', WIRE_SAVED);
	finish(&other, 'l', WIRE_SAVED);
	CHECK_UINT(count(), 1);
	CHECK_INT(claim(&other, 'k', 't'), WIRE_CLAIM_BUSY);
}

LEDGER_TEST(the_claim_of_an_owner_who_died_is_broken_for_the_next_one)
{
	struct ledger_owner worker = {.uid = AMY}, next = {.uid = AMY},
			    third = {.uid = AMY};
	struct wire_claimed_item answer;

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'l', 's'), WIRE_CLAIM_GRANTED);
	ledger_release(ledger, &worker);
	CHECK_UINT(worker.count, 0);
	answer = ask(&next, false, 'k', 't', "other");
	CHECK_INT(answer.state, WIRE_CLAIM_BROKEN);
	CHECK_STR_IS(answer.value, "value");
	CHECK_INT(claim(&third, 'k', 'u'), WIRE_CLAIM_BUSY);
	/* It had got far enough: the new owner's secret counts. */
	finish(&next, 'k', WIRE_SAVED);
	confirm(AMY, 'k', 's');
	CHECK_UINT(count(), 2);
	confirm(AMY, 'k', 't');
	CHECK_UINT(count(), 1);
}

LEDGER_TEST(a_second_owner_who_dies_leaves_what_the_first_one_meant)
{
	struct ledger_owner worker = {.uid = AMY}, next = {.uid = AMY},
			    third = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	ledger_release(ledger, &worker);
	CHECK_INT(
		ask(&next, false, 'k', 't', "other").state, WIRE_CLAIM_BROKEN);
	ledger_release(ledger, &next);
	CHECK_STR_IS(ask(&third, false, 'k', 'u', "").value, "value");
}

LEDGER_TEST(what_is_claimed_again_has_the_new_value)
{
	struct ledger_owner worker = {.uid = AMY}, next = {.uid = AMY},
			    third = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	ledger_release(ledger, &worker);
	CHECK_INT(claim(&next, 'k', 't'), WIRE_CLAIM_BROKEN);
	CHECK_INT(ask(&third, true, 'k', 'u', "new").state, WIRE_CLAIM_BUSY);
	CHECK_INT(ask(&next, true, 'k', 't', "new").state, WIRE_CLAIM_GRANTED);
	ledger_release(ledger, &next);
	CHECK_STR_IS(ask(&third, false, 'k', 'u', "").value, "new");
	CHECK_UINT(count(), 1);
}

LEDGER_TEST(nobody_holds_anything_after_a_restart)
{
	struct ledger_owner worker = {.uid = AMY}, next = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	restart();
	CHECK_UINT(count(), 1);
	CHECK_INT(claim(&next, 'k', 't'), WIRE_CLAIM_BROKEN);
}

/* Its FINISH was lost with the process, the reply was read. */
LEDGER_TEST(what_was_claimed_before_a_restart_can_be_confirmed)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	restart();
	confirm(AMY, 'k', 'x');
	CHECK_UINT(count(), 1);
	confirm(AMY, 'k', 's');
	CHECK_UINT(count(), 0);
}

LEDGER_TEST(the_second_of_two_claims_of_a_key_in_a_frame_is_busy)
{
	struct ledger_owner worker = {.uid = AMY};
	struct wire_claim_item two[] = {
		item('k', 's', "a"), item('k', 't', "b")};
	struct wire_claim request = {1, two, 2};
	struct wire_claimed claimed;

	ledger_begin(ledger, now_s);
	ledger_claim(ledger, arena, &worker, false, &request, &claimed);
	REQUIRE(ledger_commit(ledger, &err) == 0);
	CHECK_INT(claimed.items[0].state, WIRE_CLAIM_GRANTED);
	CHECK_INT(claimed.items[1].state, WIRE_CLAIM_BUSY);
	CHECK_UINT(count(), 1);
}

LEDGER_TEST(what_nobody_confirms_ends_with_its_time)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'k', WIRE_SAVED);
	now_s += limits.lifetime_s - 1;
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_FINISHED);
	now_s++;
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_UINT(count(), 1);
}

LEDGER_TEST(a_sweep_takes_away_what_has_expired_in_steps)
{
	struct ledger_owner worker = {.uid = AMY};
	const char *key;

	for (key = "abcdefghij"; *key != '\0'; key++) {
		if (*key == 'f')
			now_s += 10;
		CHECK_INT(claim(&worker, *key, 's'), WIRE_CLAIM_GRANTED);
		finish(&worker, *key, WIRE_SAVED);
	}
	now_s += limits.lifetime_s - 10;
	CHECK_INT(ledger_sweep(ledger, now_s, 4, &err), LOOKUP_FOUND);
	CHECK_UINT(count(), 6);
	CHECK_INT(ledger_sweep(ledger, now_s, 4, &err), LOOKUP_FOUND);
	CHECK_UINT(count(), 5);
	CHECK_INT(ledger_sweep(ledger, now_s, 4, &err), LOOKUP_NONE);
	CHECK_UINT(count(), 5);
	CHECK_UINT(ledger_counters(ledger).expired, 5);
	now_s += 10;
	CHECK_INT(ledger_sweep(ledger, now_s, 100, &err), LOOKUP_NONE);
	CHECK_UINT(count(), 0);
}

LEDGER_TEST(a_claim_that_a_sweep_took_can_be_finished)
{
	struct ledger_owner worker = {.uid = AMY};

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'l', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'm', 's'), WIRE_CLAIM_GRANTED);
	now_s += limits.lifetime_s;
	CHECK_INT(ledger_sweep(ledger, now_s, 100, &err), LOOKUP_NONE);
	CHECK_UINT(count(), 0);
	finish(&worker, 'k', WIRE_SAVED);
	CHECK_UINT(count(), 1);
	finish(&worker, 'l', WIRE_FAILED);
	confirm(AMY, 'm', 's');
	CHECK_UINT(count(), 1);
	CHECK_UINT(worker.count, 0);
}

LEDGER_TEST(a_user_who_has_too_many_entries_is_refused_alone)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = BEN};

	limits.entries_per_uid = 2;
	limits.entries = 3;
	restart();
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_GRANTED);
	CHECK(ledger_complaint(ledger) == NULL);
	CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_UNABLE);
	CHECK(ledger_complaint(ledger) != NULL);
	CHECK_INT(claim(&other, 'a', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&other, 'b', 's'), WIRE_CLAIM_UNABLE);
	finish(&worker, 'a', WIRE_FAILED);
	CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_GRANTED);
	CHECK_UINT(worker.count, 2);
	CHECK_UINT(other.count, 1);
	CHECK_UINT(count(), 3);
}

LEDGER_TEST(bytes_are_limited_and_counted_again_after_a_restart)
{
	struct ledger_owner worker = {.uid = AMY};

	limits.bytes_per_uid = 400;
	restart();
	CHECK_INT(ask(&worker, false, 'a', 's', "0123456789").state,
		WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'd', 's'), WIRE_CLAIM_UNABLE);
	restart();
	worker = (struct ledger_owner){.uid = AMY};
	CHECK_INT(claim(&worker, 'd', 's'), WIRE_CLAIM_UNABLE);
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_BROKEN);
	finish(&worker, 'a', WIRE_FAILED);
	CHECK_INT(claim(&worker, 'd', 's'), WIRE_CLAIM_GRANTED);
}

LEDGER_TEST(an_owner_may_not_hold_too_much)
{
	struct ledger_owner worker = {.uid = AMY};

	limits.held_per_owner = 1;
	restart();
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_UNABLE);
	finish(&worker, 'a', WIRE_SAVED);
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_FINISHED);
}

LEDGER_TEST(a_value_that_is_too_long_is_refused)
{
	struct ledger_owner worker = {.uid = AMY};

	limits.value_bytes = 3;
	restart();
	CHECK_INT(
		ask(&worker, false, 'a', 's', "1234").state, WIRE_CLAIM_UNABLE);
	CHECK_INT(
		ask(&worker, false, 'a', 's', "123").state, WIRE_CLAIM_GRANTED);
	/* What was held is given up with it. */
	CHECK_INT(
		ask(&worker, true, 'a', 's', "1234").state, WIRE_CLAIM_UNABLE);
	CHECK_UINT(worker.count, 0);
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_BROKEN);
}

/* A hostile client: each old value may be long, the frame has one end. */
LEDGER_TEST(broken_values_never_pass_the_length_of_a_frame)
{
	enum { COUNT = 10, LENGTH = 30000 };
	struct ledger_owner worker = {.uid = AMY}, next = {.uid = AMY};
	struct wire_claim_item items[COUNT];
	struct wire_claim request = {1, items, COUNT};
	struct wire_claimed claimed;
	struct frame frame;
	static char value[LENGTH + 1];
	size_t broken = 0;
	int i;

	memset(value, 'v', LENGTH);
	for (i = 0; i < COUNT; i++) {
		CHECK_INT(ask(&worker, false, (char)i, 's', value).state,
			WIRE_CLAIM_GRANTED);
		items[i] = item((char)i, 't', "");
	}
	ledger_release(ledger, &worker);
	ledger_begin(ledger, now_s);
	ledger_claim(ledger, arena, &next, false, &request, &claimed);
	REQUIRE(ledger_commit(ledger, &err) == 0);
	frame_begin(&frame, WIRE_CLAIMED);
	wire_claimed(&frame, &claimed);
	CHECK(frame_is_whole(&frame));
	frame_close(&frame);
	for (i = 0; i < COUNT; i++) {
		broken += claimed.items[i].state == WIRE_CLAIM_BROKEN;
		if (claimed.items[i].state != WIRE_CLAIM_BROKEN)
			CHECK_INT(claimed.items[i].state, WIRE_CLAIM_BUSY);
	}
	CHECK_UINT(broken, 4);
	CHECK_UINT(next.count, 4);
}

LEDGER_TEST(an_entry_that_says_nothing_is_written_over)
{
	struct ledger_owner worker = {.uid = AMY};
	struct dict_walk walk;

	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	ledger_release(ledger, &worker);
	REQUIRE(dict_walk(dict, arena, STR_EMPTY, 1, &walk, &err) == 0);
	walk.entries[0].value = STR("\7what?");
	REQUIRE(dict_put(dict, &walk.entries[0], &err) == 0);
	restart();
	CHECK_INT(claim(&worker, 'k', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'k', WIRE_FAILED);
	CHECK_UINT(count(), 0);
}

LEDGER_TEST(many_users_are_counted_each)
{
	struct ledger_owner worker;
	unsigned uid;

	limits.entries_per_uid = 2;
	restart();
	for (uid = 0; uid < 3000; uid++) {
		worker = (struct ledger_owner){.uid = uid * 2654435761u};
		CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
		CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_GRANTED);
		CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_UNABLE);
		ledger_release(ledger, &worker);
	}
	CHECK_UINT(count(), 6000);
	restart();
	CHECK_UINT(count(), 6000);
	CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_UNABLE);
}

LEDGER_TEST(all_goes_along_when_the_ledger_moves)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = AMY};
	struct dict *second = dict_open_memory();

	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'a', WIRE_SAVED);
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_GRANTED);
	REQUIRE(ledger_move(ledger, second, &err) == 0);
	dict_close(&dict);
	dict = second;
	CHECK_UINT(count(), 2);
	CHECK_INT(claim(&other, 'a', 't'), WIRE_CLAIM_FINISHED);
	CHECK_INT(claim(&other, 'b', 't'), WIRE_CLAIM_BUSY);
	finish(&worker, 'b', WIRE_FAILED);
	CHECK_UINT(count(), 1);
}

/* ---- a dict that fails ---- */

struct failing {
	struct dict dict;
	struct dict *inner;
	bool put_fails, commit_fails, is_full, get_fails;
};

static struct failing failing;

static int
fail_if(bool fails)
{
	return fails ? err_temp(&err, "4.3.0", "as told") : 0;
}

static int
failing_has_room(struct dict *self UNUSED, struct err *e)
{
	return failing.is_full ? err_temp(e, "4.3.1", "no space") : 0;
}

static int
failing_begin(struct dict *self UNUSED, struct err *e)
{
	return dict_begin(failing.inner, e);
}

static int
failing_commit(struct dict *self UNUSED, struct err *e)
{
	if (fail_if(failing.commit_fails) == 0)
		return dict_commit(failing.inner, e);
	dict_abort(failing.inner);
	return err_temp(e, "4.3.0", "as told");
}

static void
failing_abort(struct dict *self UNUSED)
{
	dict_abort(failing.inner);
}

static enum lookup
failing_get(struct dict *self UNUSED, struct arena *a, struct str key,
	struct dict_entry *entry_out, struct err *e)
{
	if (failing.get_fails) {
		err_temp(e, "4.3.0", "as told");
		return LOOKUP_ERROR;
	}
	return dict_get(failing.inner, a, key, entry_out, e);
}

static int
failing_put(
	struct dict *self UNUSED, const struct dict_entry *entry, struct err *e)
{
	if (failing.put_fails)
		return err_temp(e, "4.3.0", "as told");
	return dict_put(failing.inner, entry, e);
}

static int
failing_remove(struct dict *self UNUSED, struct str key, struct err *e)
{
	return dict_delete(failing.inner, key, e);
}

static int
failing_walk(struct dict *self UNUSED, struct arena *a, struct str after,
	size_t most, struct dict_entry *entries, size_t *count_out,
	struct err *e)
{
	struct dict_walk walk;

	if (dict_walk(failing.inner, a, after, most, &walk, e) < 0)
		return -1;
	memcpy(entries, walk.entries, walk.count * sizeof(*entries));
	*count_out = walk.count;
	return 0;
}

static void
failing_close(struct dict *self UNUSED)
{
	dict_close(&failing.inner);
}

static const struct dict_driver failing_driver = {
	.close = failing_close,
	.has_room = failing_has_room,
	.begin = failing_begin,
	.commit = failing_commit,
	.abort = failing_abort,
	.get = failing_get,
	.put = failing_put,
	.remove = failing_remove,
	.walk = failing_walk,
};

static void
use_failing(void)
{
	failing.dict.driver = &failing_driver;
	failing.inner = dict;
	dict = &failing.dict;
	restart();
}

LEDGER_TEST(no_new_claims_without_room_but_all_else)
{
	struct ledger_owner worker = {.uid = AMY};
	const char *complaint;

	use_failing();
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_GRANTED);
	failing.is_full = true;
	CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_UNABLE);
	complaint = ledger_complaint(ledger);
	CHECK_STR(complaint, "no space");
	finish(&worker, 'a', WIRE_SAVED);
	finish(&worker, 'b', WIRE_FAILED);
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_FINISHED);
	confirm(AMY, 'a', 's');
	CHECK_UINT(count(), 0);
	failing.is_full = false;
	CHECK_INT(claim(&worker, 'c', 's'), WIRE_CLAIM_GRANTED);
}

LEDGER_TEST(a_commit_that_fails_takes_all_of_it_back)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = AMY};

	use_failing();
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&worker, 'f', 's'), WIRE_CLAIM_GRANTED);
	finish(&worker, 'f', WIRE_SAVED);
	failing.commit_fails = true;
	CHECK_INT(claim(&worker, 'b', 's'), WIRE_CLAIM_UNABLE);
	CHECK(ledger_complaint(ledger) != NULL);
	CHECK_UINT(worker.count, 1);
	confirm(AMY, 'f', 's');
	finish(&worker, 'a', WIRE_SAVED);
	failing.commit_fails = false;
	CHECK_UINT(count(), 2);
	CHECK_UINT(worker.count, 0);
	/* The FINISH was not written: whoever asks looks for himself. */
	CHECK_INT(claim(&other, 'a', 's'), WIRE_CLAIM_BROKEN);
	CHECK_INT(claim(&other, 'b', 's'), WIRE_CLAIM_GRANTED);
	CHECK_INT(claim(&other, 'f', 's'), WIRE_CLAIM_FINISHED);
	CHECK_UINT(count(), 3);
}

LEDGER_TEST(a_claim_again_that_fails_is_given_up)
{
	struct ledger_owner worker = {.uid = AMY};

	use_failing();
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
	failing.commit_fails = true;
	CHECK_INT(ask(&worker, true, 'a', 's', "new").state, WIRE_CLAIM_UNABLE);
	failing.commit_fails = false;
	CHECK_UINT(worker.count, 0);
	CHECK_STR_IS(ask(&worker, false, 'a', 's', "").value, "value");
	CHECK_UINT(count(), 1);
}

LEDGER_TEST(one_write_that_fails_takes_back_the_whole_transaction)
{
	struct ledger_owner worker = {.uid = AMY}, other = {.uid = BEN};
	struct wire_claim_item first = item('a', 's', "v"),
			       second = item('b', 's', "v");
	struct wire_claim one = {1, &first, 1}, two = {2, &second, 1};
	struct wire_claimed answers[2];

	use_failing();
	ledger_begin(ledger, now_s);
	ledger_claim(ledger, arena, &worker, false, &one, &answers[0]);
	CHECK_INT(answers[0].items[0].state, WIRE_CLAIM_GRANTED);
	failing.put_fails = true;
	ledger_claim(ledger, arena, &other, false, &two, &answers[1]);
	failing.put_fails = false;
	CHECK_INT(ledger_commit(ledger, &err), -1);
	CHECK_INT(answers[0].items[0].state, WIRE_CLAIM_UNABLE);
	CHECK_INT(answers[1].items[0].state, WIRE_CLAIM_UNABLE);
	CHECK_UINT(worker.count + other.count, 0);
	CHECK_UINT(count(), 0);
	failing.get_fails = true;
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_UNABLE);
	failing.get_fails = false;
	CHECK_INT(claim(&worker, 'a', 's'), WIRE_CLAIM_GRANTED);
}
